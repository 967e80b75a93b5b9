import * as v from 'valibot';
import type { RequestRecord } from '../../domain/request-record.ts';
import { format, parseDocument, text, timestamp } from '../../store/document.ts';

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
