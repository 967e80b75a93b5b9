import * as v from 'valibot';
import type { RequestRecord } from '../../domain/request-record.ts';
import { format, parseDocument, text, timestamp } from '../../store/document.ts';
import type { KeyStore } from '../../store/key-store.ts';

/** A broker that is up. */
export interface BrokerDocument {
  readonly id: string;
  readonly endpoint: string;
  readonly key: string;
  readonly version: string;
  readonly started_at: string;
}

const broker = v.object({
  id: text(255),
  endpoint: v.pipe(text(512), v.startsWith('tcp://')),
  key: v.pipe(v.string(), v.length(40)),
  version: text(64),
  started_at: timestamp,
});

export const serializeBroker = (document: BrokerDocument): string => JSON.stringify({ format, ...document });

/** Throws `firing-malformed`. */
export const parseBroker = (key: string, value: string): BrokerDocument => parseDocument(broker, key, value);

export const serializeRecord = (record: RequestRecord): string => JSON.stringify(record);

/** Of records that are serialised. */
export const serializePage = (records: readonly string[]): string =>
  `{"format":${format},"records":[${records.join(',')}]}`;

/** The brokers that are up, as etcd has them now; entries that are malformed count as absent. Throws the store's errors. */
export const listBrokers = async (store: Pick<KeyStore, 'list'>, keys: BusKeys): Promise<BrokerDocument[]> => {
  const { entries } = await store.list(keys.brokers);
  return entries.flatMap(({ key, value }) => {
    try {
      return [parseBroker(key, value)];
    } catch {
      return [];
    }
  });
};

/** What brokers have in etcd: `docs/reference/keyspace.md`. Names ending in `s` are prefixes. */
export interface BusKeys {
  /** Leased: the brokers that are up. */
  readonly brokers: string;
  broker(id: string): string;
  /** Leased, one per broker: the workers that it has. */
  online(broker: string): string;
  /** One page of requests of this team that have ended; its length in bytes is in the key, for the sweeper. */
  history(team: string, page: string, bytes: number): string;
}

export const busKeysBelow = (prefix: string): BusKeys => {
  const base = `${prefix.replace(/\/+$/, '')}/v1`;
  return {
    brokers: `${base}/brokers/`,
    broker: (id) => `${base}/brokers/${id}`,
    online: (broker) => `${base}/online/${broker}`,
    history: (team, page, bytes) => `${base}/history/${team}/${page}.${bytes}`,
  };
};
