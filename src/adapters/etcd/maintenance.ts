import { AlarmAction, AlarmType, type Etcd3, type IStatusResponse } from 'etcd3';
import { isEtcdAway } from '../../store/etcd-away.ts';
import { defaultQuotaBytes, type EtcdMaintenance, type EtcdSpace, type MemberState } from '../../store/space.ts';
import { castError, isCompacted } from './cast-error.ts';
import { createClient, type EtcdOptions } from './client.ts';
import { withDeadline } from './endpoints.ts';
import { numbersPage } from './ranges.ts';

/** A member that does not tell its size by then is left out. */
const statusMs = 2_000;
/** To rewrite 8 GiB takes a slow disk some minutes. */
const longMs = 10 * 60_000;
/** A quota changes with a restart of etcd only. */
const quotaAgeMs = 10 * 60_000;

export interface MaintenanceOptions {
  readonly etcd: EtcdOptions;
  /** All our keys are below it. */
  readonly prefix: string;
  /** As configured; else etcd's page of numbers is asked. */
  readonly quotaBytes?: number | undefined;
}

/** What keeps an etcd itself in order. Every call has connections of its own: they are few, and may take minutes. */
export class Maintenance implements EtcdMaintenance {
  readonly #options: MaintenanceOptions;
  readonly #quotas = new Map<string, { readonly bytes: number | null; readonly at: number }>();

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  async measure(): Promise<EtcdSpace> {
    const answers = await Promise.allSettled(
      this.#options.etcd.endpoints.map(async (endpoint) => ({
        endpoint,
        status: await this.#status(endpoint),
        quotaBytes: await this.#quotaOf(endpoint),
      })),
    );
    const known = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (known.length === 0) throw (answers[0] as PromiseRejectedResult).reason;
    return {
      fileBytes: Math.max(...known.map(({ status }) => Number(status.dbSize))),
      usedBytes: Math.max(...known.map(({ status }) => usedOf(status))),
      quotaBytes: Math.min(...known.map(({ quotaBytes }) => quotaBytes)),
    };
  }

  /** Configured endpoints first; of other members the addresses that they give to clients. */
  async members(): Promise<MemberState[]> {
    const { members } = await this.#some('asking for the members', (client, options) =>
      client.cluster.memberList({}, options),
    );
    const states = new Map<string, MemberState>();
    for (const endpoint of [...this.#options.etcd.endpoints, ...members.flatMap(({ clientURLs }) => clientURLs)]) {
      if (states.size === members.length) break;
      const state = await this.#memberAt(endpoint).catch(() => undefined);
      if (state !== undefined && !states.has(state.id)) states.set(state.id, state);
    }
    return members.map(({ ID: id, name }) => states.get(id) ?? { id, name, kind: 'away' });
  }

  async compact(revision: bigint): Promise<void> {
    try {
      await this.#some(
        `compacting to revision ${revision}`,
        (client, options) => client.kv.compact({ revision: String(revision), physical: true }, options),
        longMs,
      );
    } catch (error) {
      // By somebody else, or by etcd itself.
      if (!isCompacted(error)) throw error;
    }
  }

  async defragment(endpoint: string): Promise<void> {
    await this.#on(endpoint, `defragmenting ${endpoint}`, longMs, (client, options) =>
      client.maintenance.defragment(options),
    );
  }

  async disarmNoSpace(): Promise<void> {
    await this.#some('disarming the alarm', async (client, options) => {
      const { alarms } = await client.maintenance.alarm({ action: AlarmAction.Get }, options);
      for (const { memberID, alarm } of alarms)
        if (isNoSpace(alarm))
          await client.maintenance.alarm(
            { action: AlarmAction.Deactivate, memberID, alarm: AlarmType.Nospace },
            options,
          );
    });
  }

  async hasOtherKeys(): Promise<boolean> {
    const { prefix } = this.#options;
    // `/` and `0` are neighbours: everything before, and everything behind what begins with the prefix and a slash.
    const ranges = [
      { key: Buffer.from([0]), range_end: Buffer.from(`${prefix}/`) },
      { key: Buffer.from(`${prefix}0`), range_end: Buffer.from([0]) },
    ];
    for (const range of ranges) {
      const { kvs } = await this.#some('looking for other keys', (client, options) =>
        client.kv.range({ ...range, limit: 1, keys_only: true }, options),
      );
      if (kvs.length > 0) return true;
    }
    return false;
  }

  async #memberAt(endpoint: string): Promise<MemberState> {
    const [status, quotaBytes] = await Promise.all([this.#status(endpoint), this.#quotaOf(endpoint)]);
    const { errors, isLearner, version } = status;
    return {
      kind: 'up',
      id: status.header.member_id,
      endpoint,
      version,
      revision: BigInt(status.header.revision),
      isLeader: status.leader === status.header.member_id,
      isHealthy: status.leader !== '0' && !isLearner && errors.every((error) => error.includes('NOSPACE')),
      hasNoSpace: errors.some((error) => error.includes('NOSPACE')),
      fileBytes: Number(status.dbSize),
      usedBytes: usedOf(status),
      quotaBytes,
    };
  }

  #status(endpoint: string): Promise<IStatusResponse> {
    return this.#on(endpoint, `asking ${endpoint}`, statusMs, (client, options) => client.maintenance.status(options));
  }

  async #quotaOf(endpoint: string): Promise<number> {
    if (this.#options.quotaBytes !== undefined) return this.#options.quotaBytes;
    const now = performance.now();
    let known = this.#quotas.get(endpoint);
    if (known === undefined || now - known.at > quotaAgeMs) {
      known = { bytes: (await numbersPage(endpoint, this.#options.etcd, statusMs))?.quotaBytes ?? null, at: now };
      this.#quotas.set(endpoint, known);
    }
    return known.bytes ?? defaultQuotaBytes;
  }

  /** At the first endpoint that answers. */
  async #some<T>(doing: string, use: Use<T>, ms = statusMs): Promise<T> {
    let last: unknown;
    for (const endpoint of this.#options.etcd.endpoints) {
      try {
        return await this.#on(endpoint, `${doing} at ${endpoint}`, ms, use);
      } catch (error) {
        last = error;
        if (!isEtcdAway(castError(error, doing).code)) break;
      }
    }
    throw last;
  }

  async #on<T>(endpoint: string, doing: string, ms: number, use: Use<T>): Promise<T> {
    const client = createClient(endpoint, this.#options.etcd);
    try {
      return await withDeadline(use(client, { deadline: Date.now() + ms }), ms, doing);
    } catch (error) {
      throw castError(error, doing);
    } finally {
      client.close();
    }
  }
}

type Use<T> = (client: Etcd3, options: { readonly deadline: number }) => Promise<T>;

/** Before 3.4 nobody says. */
const usedOf = ({ dbSize, dbSizeInUse }: IStatusResponse): number => Number(dbSizeInUse) || Number(dbSize);

const isNoSpace = (alarm: string): boolean => alarm.toUpperCase() === 'NOSPACE';
