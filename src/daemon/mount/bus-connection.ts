import { Client, type ConnectOptions, type RunningRequest } from '../../client/client.ts';
import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import { tryAgainExitCode } from '../../domain/result.ts';
import type { Log } from '../../kit/log.ts';
import type { Delivery, HitCounters, RequestSender } from '../../mount/delivery-ports.ts';
import { maxHitsAtOnce } from '../../registry/statements.ts';

/** A client that is connected when it is needed: brokers may be away for as long as they like. */
export class BusConnection {
  readonly #options: () => ConnectOptions;
  readonly #log: Log;
  #client: Promise<Client> | undefined;

  /** `options` may look for brokers at each attempt. */
  constructor(options: () => ConnectOptions, log: Log) {
    this.#options = options;
    this.#log = log;
  }

  /** Throws `broker-unreachable`, `login-failed`, `too-many-attempts`; the next call tries again. */
  client(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const connecting = this.#connect();
    this.#client = connecting;
    connecting.catch(() => {
      if (this.#client === connecting) this.#client = undefined;
    });
    return connecting;
  }

  /** What has not ended continues: the next start asks for it again. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close({ open: 'leave' });
  }

  async #connect(): Promise<Client> {
    return Client.connect({
      ...this.#options(),
      onBrokerLost: (why) => this.#log.warn({ why }, 'Lost the broker; trying another one'),
    });
  }
}

/** What is kept of an output; the rest is read and forgotten. */
const maxOutputBytes = 1_048_576;

/** Requests of trigger files over the bus. */
export const createBusSender = (connection: BusConnection): RequestSender => ({
  send: async ({ id, definition, payload, resume, signal }) => {
    const { service, plugin, args, timeout_ms } = definition;
    if (service === null || plugin === null)
      return failed(new TriggerdError('request-invalid', `${definition.name} has no service or no plugin`));
    try {
      const client = await connection.client();
      const cancel = signal === undefined ? {} : { signal };
      const timeout = timeout_ms === null ? {} : { timeoutMs: timeout_ms };
      return await followed(client.request({ id, resume, service, plugin, args, payload, ...timeout, ...cancel }));
    } catch (error) {
      return failed(asTriggerdError(error));
    }
  },
});

const followed = async (request: RunningRequest): Promise<Delivery> => {
  const { output, worker } = await gather(request);
  const { result, exitCode, reason, legs } = await request.result;
  // Of several workers, others may have done it.
  const again = result === 'failed' && exitCode === tryAgainExitCode && legs.length <= 1;
  return {
    kind: 'ended',
    again,
    output: { request: request.id, endedAt: Date.now(), result, exitCode, reason, worker, output },
  };
};

const gather = async (request: RunningRequest): Promise<{ output: Buffer; worker: string | null }> => {
  const chunks: Uint8Array[] = [];
  const workers = new Set<string>();
  let room = maxOutputBytes;
  for await (const { bytes, worker } of request.output) {
    workers.add(worker);
    if (room > 0) chunks.push(bytes.subarray(0, room));
    room -= bytes.length;
  }
  const [only = null, ...others] = workers;
  return { output: Buffer.concat(chunks), worker: others.length === 0 ? only : null };
};

const failed = (error: TriggerdError): Delivery => ({ kind: 'failed', error });

/** Hits of a mount without etcd: a broker writes them down. `counter` is of the journal that has counted them. */
export const createBusCounters = (connection: BusConnection, team: string, counter: string): HitCounters => ({
  publish: async (hits) => {
    const client = await connection.client();
    // The broker notes the time itself.
    const all = [...hits].map(([id, { count }]) => [id, count] as const);
    for (let at = 0; at < all.length; at += maxHitsAtOnce)
      await client.registry({
        verb: 'definition.count',
        ...{ team, counter, hits: Object.fromEntries(all.slice(at, at + maxHitsAtOnce)) },
      });
  },
});
