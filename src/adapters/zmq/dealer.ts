import { setTimeout as sleep } from 'node:timers/promises';
import { curveKeyPair, type Dealer } from 'zeromq';
import { noBody } from '../../bus/codec/encode.ts';
import { eachMessage } from '../../bus/codec/pack.ts';
import type { Connection, ConnectionListener } from '../../bus/ports.ts';
import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import type { Log } from '../../kit/log.ts';
import { type RetryPolicy, retryDelayMs } from '../../kit/retry.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { type AttemptEnd, attempt } from './attempt.ts';
import { type Resolve, type ResolvedEndpoint, resolvedEndpoints, socketTiming } from './endpoints.ts';
import { Outbox } from './outbox.ts';

export interface DealerOptions {
  /** What one frame from the broker may hold, in bytes; a broker that sends more is disconnected. */
  readonly maxFrame: number;
  readonly log: Log;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
}

/** What may wait for the socket, in bytes: output is acknowledged, so that only a broken peer gets so far behind. */
const maxQueuedBytes = 67_108_864;
/** Between two attempts to send when the broker reads slower than we write. ms. */
const retrySendMs = 5;
/** How long each address of a broker with several may take. ms. */
const endpointMs = 2_000;
/** Between two rounds over all addresses of the broker. */
const roundRetry: RetryPolicy = {
  firstMs: socketTiming.reconnectInterval,
  factor: 2,
  maxMs: socketTiming.reconnectMaxInterval,
  jitter: 0.2,
};

type Link = 'connecting' | 'up' | 'down';

/** `Connect` on a real socket. */
export const dealerConnect =
  (options: DealerOptions) =>
  (broker: BrokerEndpoint, listener: ConnectionListener): Connection =>
    new DealerConnection(broker, listener, options);

/**
 * A connection to one broker with a key pair of its own. A *round* looks its name up and tries each address until one shakes
 * hands; after a loss, or when none did, the next round follows by itself. The link is *connecting* until the first round has
 * ended, *up* from a handshake on, *down* from a loss on; a link that is down has an empty outbox. What is sent in one turn
 * of the event loop travels together.
 */
class DealerConnection implements Connection {
  readonly #listener: ConnectionListener;
  readonly #options: DealerOptions;
  readonly #endpoint: string;
  readonly #curve: {
    readonly curveServerKey: string;
    readonly curvePublicKey: string;
    readonly curveSecretKey: string;
  };
  readonly #closing = new AbortController();
  readonly #ended: Promise<unknown>;
  #outbox = new Outbox();
  #socket: Dealer | undefined;
  #link: Link = 'connecting';
  /** Where the last handshake was: asked first, so that an address that drops packets costs its time once. */
  #lastUp: string | undefined;
  #isFlushing = false;
  #isClosed = false;
  #drained: () => void = () => undefined;

  constructor({ endpoint, key }: BrokerEndpoint, listener: ConnectionListener, options: DealerOptions) {
    const { publicKey, secretKey } = curveKeyPair();
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.#options = options;
    this.#curve = { curveServerKey: key, curvePublicKey: publicKey, curveSecretKey: secretKey };
    this.#ended = this.#run();
  }

  get queuedBytes(): number {
    return this.#outbox.bytes;
  }

  send(head: string, body: Buffer = noBody): boolean {
    if (this.#link !== 'up' || this.#isClosed || this.#outbox.bytes > maxQueuedBytes) return false;
    this.#outbox.add(head, body);
    this.#flushSoon();
    return true;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#emptied();
    this.#closing.abort();
    await this.#ended;
  }

  // ── rounds ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !this.#isClosed; ) {
      const wasUp = await this.#round();
      failures = wasUp ? 1 : failures + 1;
      await sleep(retryDelayMs(roundRetry, failures), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether one of the endpoints was up. Never throws. */
  async #round(): Promise<boolean> {
    try {
      return await this.#tryEach(await this.#resolved());
    } catch (error) {
      this.#lost((error as Error).message);
      return false;
    }
  }

  async #resolved(): Promise<readonly ResolvedEndpoint[]> {
    const found = resolvedEndpoints(this.#endpoint, this.#options.resolve);
    // A lookup cannot be cancelled: whoever closes does not wait for its end.
    const endpoints = await unlessAborted(found, this.#closing.signal, () => []);
    const isFirst = ({ endpoint }: ResolvedEndpoint): number => Number(endpoint !== this.#lastUp);
    return [...endpoints].sort((one, other) => isFirst(one) - isFirst(other));
  }

  async #tryEach(endpoints: readonly ResolvedEndpoint[]): Promise<boolean> {
    const troubles: string[] = [];
    for (const target of endpoints) {
      if (this.#isClosed) return false;
      if (troubles.length > 0) this.#listener.attempting?.();
      const end = await this.#try(target, endpoints.length > 1 ? endpointMs : undefined);
      const wasUp = this.#link === 'up';
      if (wasUp) this.#lost(this.#wordsFor(target, end));
      if (wasUp || end === 'closed') return wasUp;
      troubles.push(this.#wordsFor(target, end));
    }
    this.#lost([...new Set(troubles)].join('; '));
    return false;
  }

  async #try(target: ResolvedEndpoint, limitMs: number | undefined): Promise<AttemptEnd> {
    const options = { curve: this.#curve, maxFrame: this.#options.maxFrame, limitMs };
    const received = (frames: Buffer[]): void => this.#received(frames);
    const up = (socket: Dealer): void => this.#up(target, socket);
    const end = await attempt(target, options, { up, received }, this.#closing.signal);
    this.#socket = undefined;
    return end;
  }

  #wordsFor({ endpoint }: ResolvedEndpoint, end: AttemptEnd): string {
    const target = endpoint === this.#endpoint ? endpoint : `${this.#endpoint} (${endpoint.slice('tcp://'.length)})`;
    if (end === 'unreachable') return `nothing listens at ${target}, or it cannot be reached`;
    if (end === 'silent') return `${target} has not answered within ${endpointMs / 1000} s`;
    if (end === 'unencrypted') return `${target} did not take our encryption: is its key right?`;
    return `the connection to ${target} was lost`;
  }

  #up(target: ResolvedEndpoint, socket: Dealer): void {
    this.#socket = socket;
    this.#outbox = new Outbox();
    this.#link = 'up';
    this.#lastUp = target.endpoint;
    if (!this.#isClosed) this.#listener.up();
  }

  #lost(reason: string): void {
    const before = this.#link;
    this.#link = 'down';
    this.#outbox = new Outbox();
    if (before !== 'down' && !this.#isClosed) this.#listener.down(reason);
  }

  // ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when nothing waits for the socket any more, or when `linger` has passed. */
  #emptied(): Promise<void> {
    if (this.#outbox.isEmpty) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, socketTiming.linger);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => void this.#flush());
  }

  /** The only place that sends: libzmq takes one at a time. */
  async #flush(): Promise<void> {
    while (!this.#outbox.isEmpty && this.#socket !== undefined && !this.#socket.closed) {
      const outbox = this.#outbox;
      const { frame, count } = outbox.next();
      const failure = await this.#socket.send(frame).then(() => undefined, codeOf);
      if (failure === undefined) outbox.sent(count);
      else await new Promise((resolve) => setTimeout(resolve, retrySendMs));
    }
    this.#isFlushing = false;
    this.#drained();
    if (!this.#isClosed) this.#listener.drained?.();
  }

  #received(frames: Buffer[]): void {
    if (!this.#isClosed) eachMessage(frames, 0, this.#message, this.#malformed);
  }

  readonly #message = (head: Buffer, body: Buffer): void => this.#listener.message(head, body);

  readonly #malformed = (why: string): void =>
    this.#options.log.warn({ broker: this.#endpoint, why }, 'The broker sent bytes that are not a message');
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';
