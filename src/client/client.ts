/**
 * The client of triggerd's services, for programs: `import { Client } from 'triggerd/client'`. See docs/how-to/client.md.
 */

import { dealerConnect } from '../adapters/zmq/dealer.ts';
import { BusClient } from '../bus/client/bus-client.ts';
import { linesOf } from '../bus/client/lines.ts';
import type { Outcome, RequestLeg, RequestResult } from '../bus/client/outcome.ts';
import type { Clock, Credentials } from '../bus/client/ports.ts';
import type { Accepted } from '../bus/client/request-order.ts';
import type { BrokerEndpoint } from '../domain/broker-address.ts';
import { TriggerdError } from '../domain/errors.ts';
import type { RequestStatement } from '../domain/live-request.ts';
import type { Algorithm } from '../domain/service.ts';
import { given } from '../kit/given.ts';
import { silentLog } from '../kit/log.ts';
import { onAbort } from '../kit/on-abort.ts';
import { startTimer } from '../kit/timer.ts';
import type { Answer, Statement } from '../registry/statements.ts';
import { newRequestId } from './new-id.ts';

export type { Accepted, Algorithm, Answer, BrokerEndpoint, Credentials, Outcome, RequestLeg, RequestResult, Statement };
export { TriggerdError };

/** Who asks, and of whom: brokers are asked in this order, one at a time. */
export type ConnectOptions = Credentials & {
  readonly brokers: readonly BrokerEndpoint[];
  /** A broker was lost, in words; the next one is asked by itself, and nothing is asked twice. */
  readonly onBrokerLost?: (why: string) => void;
  /** Ends the connecting; of no meaning once there is a connection. */
  readonly signal?: AbortSignal;
};

export interface RequestOptions {
  /** A service, a worker's identity, or `team/service` for another team's. */
  readonly service: string;
  /** Its path below the workers' plugins folder; `command` is short for `command/command`. */
  readonly plugin: string;
  /** What the plugin reads on its standard input. Default: nothing. */
  readonly payload?: string | Uint8Array;
  readonly args?: Readonly<Record<string, string>>;
  /** ms; the job is killed on the worker after that. Default: the service's, else the broker's. */
  readonly timeoutMs?: number;
  /** Cancels: the job is killed on the worker. `result` then says so. */
  readonly signal?: AbortSignal;
  /** `discard`: nobody reads the output. Otherwise it has to be read: a job whose output nobody reads waits. */
  readonly output?: 'stream' | 'discard';
  /** The requests and firings that led here, and how many hops may follow: for what asks from inside a job. */
  readonly chain?: readonly string[];
  readonly ttl?: number;
  /**
   * What `$TRIGGERD_PROOF` holds: whoever asked for the job must be allowed to ask for this, too. Brokers of before refuse
   * it here with `proof-unsupported`.
   */
  readonly proof?: string;
  /** From a job whose plugin has `acts_as = "machine"`: who asked for that job is of no interest. */
  readonly own?: boolean;
  /** Your own ULID for it, for when you keep requests on disk: with it you can ask again. Default: a new one. */
  readonly id?: string;
  /** It was asked for before under this `id`, by a program that is gone: what runs or has run is not started again. */
  readonly resume?: boolean;
}

export interface RunningRequest {
  readonly id: string;
  /** Once a broker has it. */
  readonly accepted: Promise<Accepted>;
  /** As it comes; to be read once: either this, `lines` or `parts`. Throws what `result` throws. */
  readonly output: AsyncIterable<Chunk>;
  readonly lines: AsyncIterable<Line>;
  /** The output, and behind the output of each worker how its part ended. */
  readonly parts: AsyncIterable<Chunk | RequestLeg>;
  /** A job that failed is a result; a request that was refused, or lost with its worker, throws a `TriggerdError`. */
  readonly result: Promise<RequestResult>;
}

export interface Chunk {
  readonly worker: string;
  readonly stream: 'out' | 'err';
  readonly bytes: Uint8Array;
}

export interface Line {
  readonly worker: string;
  readonly stream: 'out' | 'err';
  /** Without its newline. */
  readonly bytes: Uint8Array;
  /** The same as text; what is no UTF-8 becomes U+FFFD. */
  readonly line: string;
}

/** How many hops a chain of requests may continue. */
export const defaultTtl = 8;
/** Of one frame from a broker: an answer of the registry is the largest. */
const maxFrameBytes = 67_108_864;

const processClock: Clock = { now: () => performance.now(), after: startTimer };

export class Client {
  readonly #bus: BusClient;

  private constructor(bus: BusClient) {
    this.#bus = bus;
  }

  /**
   * Resolves when a broker knows who asks. Throws `broker-unreachable`, `login-failed`, `too-many-attempts`. From then on
   * the connection is kept, to another broker if need be, until `close`.
   */
  static async connect({ brokers, onBrokerLost, signal, ...credentials }: ConnectOptions): Promise<Client> {
    signal?.throwIfAborted();
    const bus = new BusClient({
      brokers,
      credentials,
      connect: dealerConnect({ maxFrame: maxFrameBytes, log: silentLog }),
      clock: processClock,
      newId: newRequestId,
      ...(onBrokerLost === undefined ? {} : { onLost: onBrokerLost }),
    });
    const off = signal && onAbort(signal, () => void bus.close());
    try {
      await bus.connect();
      return new Client(bus);
    } catch (error) {
      await bus.close();
      throw signal?.aborted ? signal.reason : error;
    } finally {
      off?.();
    }
  }

  /** Asks for it at once. Throws `plugin-name-invalid`, `request-too-large`, and the reason of a `signal` that is aborted. */
  request(options: RequestOptions): RunningRequest {
    const { signal, service, plugin, payload = '', args = {}, timeoutMs = null, id: ownId, resume = false } = options;
    signal?.throwIfAborted();
    const asked = this.#bus.request({
      service,
      plugin,
      payload: typeof payload === 'string' ? Buffer.from(payload) : asBuffer(payload),
      args,
      timeoutMs,
      chain: options.chain ?? [],
      ttl: options.ttl ?? defaultTtl,
      discardOutput: options.output === 'discard',
      ...given({ proof: options.proof, own: options.own }),
      ...(ownId === undefined ? {} : { id: ownId, resume }),
    });
    cancelWhen(signal, asked);
    const { id, accepted, output, result } = asked;
    return { id, accepted, output, lines: readable(linesOf(output)), parts: output.parts(), result };
  }

  /**
   * A statement of the registry, such as `{ verb: 'service.list', team: 'team1' }`, or of the broker about its requests. `seen`: the `revision` of the last answer
   * to `directory.list` or `definition.list`, or empty; while nothing has changed, the answer is only `unchanged`. Brokers of
   * before answer in full, and without a revision. Throws `registry-…`.
   */
  async registry(statement: Statement | RequestStatement, seen?: string): Promise<Answer> {
    return (await this.#bus.ask(statement, seen)) as Answer;
  }

  /** The token that a broker gave for the password, for `[main] jwt`, and how long it is good for, in ms. */
  token(): { readonly jwt: string; readonly leftMs: number } {
    return this.#bus.token();
  }

  /**
   * Cancels what has not ended, as `signal` does, and waits for that for 10 s at most; what nobody has confirmed by then
   * throws `broker-unreachable`. `leave`: what has not ended continues on the workers, and throws here at once; for a program that
   * keeps its requests on disk and asks again with `resume`.
   */
  async close({ open = 'cancel' }: { readonly open?: 'cancel' | 'leave' } = {}): Promise<void> {
    await this.#bus.close({ leaves: open === 'leave' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const cancelWhen = (signal: AbortSignal | undefined, asked: ReturnType<BusClient['request']>): void => {
  if (signal === undefined) return;
  const forget = onAbort(signal, () => asked.cancel());
  asked.result.then(forget, forget);
};

async function* readable(lines: ReturnType<typeof linesOf>): AsyncGenerator<Line, void, undefined> {
  for await (const { worker, stream, bytes } of lines) yield { worker, stream, bytes, line: bytes.toString() };
}
