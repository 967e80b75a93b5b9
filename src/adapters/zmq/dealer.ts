import { curveKeyPair, Dealer, type Event } from 'zeromq';
import { noBody } from '../../bus/codec/encode.ts';
import { eachMessage } from '../../bus/codec/pack.ts';
import { maxHeaderBytes } from '../../bus/codec/parse.ts';
import type { BrokerAddress } from '../../bus/messages.ts';
import type { Connection, ConnectionListener } from '../../bus/ports.ts';
import type { Log } from '../../domain/log.ts';
import { Outbox } from './outbox.ts';
import { receiveLoop } from './receive-loop.ts';
import { socketTiming } from './timing.ts';

export interface DealerOptions {
  /** What one frame from the broker may hold, in bytes; a broker that sends more is disconnected. */
  readonly maxFrame: number;
  readonly log: Log;
}

/** What may wait for the socket, in bytes: output is acknowledged, so that only a broken peer gets so far behind. */
const maxQueuedBytes = 67_108_864;
/** Multiparts that libzmq holds for the broker. */
const highWaterMark = 256;
/** A frame begins no further message beyond this; so it is longer than its longest message by so much at most. */
const frameAllowance = 2 * maxHeaderBytes;
/** Between two attempts to send when the broker reads slower than we write. ms. */
const retrySendMs = 5;

type Link = 'connecting' | 'up' | 'down';

/** `Connect` on a real socket. */
export const dealerConnect =
  (options: DealerOptions) =>
  (broker: Pick<BrokerAddress, 'endpoint' | 'key'>, listener: ConnectionListener): Connection =>
    new DealerConnection(broker, listener, options);

/**
 * One dealer socket, connected to one broker with a key pair of its own. Its link is *connecting* until the first
 * attempt has ended, *up* from a handshake on, *down* from a disconnect on; libzmq tries again by itself, and a link that
 * is down has an empty outbox. What is sent in one turn of the event loop travels together.
 */
class DealerConnection implements Connection {
  readonly #socket: Dealer;
  readonly #listener: ConnectionListener;
  readonly #options: DealerOptions;
  readonly #endpoint: string;
  #outbox = new Outbox();
  readonly #ended: Promise<unknown>;
  #link: Link = 'connecting';
  #isFlushing = false;
  #isClosed = false;
  #drained: () => void = () => undefined;

  constructor(
    { endpoint, key }: Pick<BrokerAddress, 'endpoint' | 'key'>,
    listener: ConnectionListener,
    options: DealerOptions,
  ) {
    const { publicKey, secretKey } = curveKeyPair();
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.#options = options;
    this.#socket = new Dealer({
      ...socketTiming,
      curveServerKey: key,
      curvePublicKey: publicKey,
      curveSecretKey: secretKey,
      maxMessageSize: Math.max(options.maxFrame, maxHeaderBytes) + frameAllowance,
      sendHighWaterMark: highWaterMark,
      receiveHighWaterMark: highWaterMark,
      sendTimeout: 0,
      // Nothing is kept for a connection that is not there: its place may be taken by another process.
      immediate: true,
    });
    this.#ended = Promise.all([this.#observe(), this.#receive()]);
    this.#connect();
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
    this.#socket.close();
    await this.#ended;
  }

  #connect(): void {
    try {
      this.#socket.connect(this.#endpoint);
    } catch (error) {
      setImmediate(() => this.#lost(`${this.#endpoint} is no address to connect to: ${(error as Error).message}`));
    }
  }

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
    while (!this.#outbox.isEmpty && !this.#socket.closed) {
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

  #receive(): Promise<void> {
    return receiveLoop(this.#socket, (frames) => {
      if (!this.#isClosed) eachMessage(frames, 0, this.#message, this.#malformed);
    });
  }

  readonly #message = (head: Buffer, body: Buffer): void => this.#listener.message(head, body);

  readonly #malformed = (why: string): void =>
    this.#options.log.warn({ broker: this.#endpoint, why }, 'The broker has sent something that is no message.');

  async #observe(): Promise<void> {
    for await (const event of this.#socket.events) this.#happened(event);
  }

  #happened(event: Event): void {
    if (event.type === 'handshake') {
      this.#outbox = new Outbox();
      this.#link = 'up';
      if (!this.#isClosed) this.#listener.up();
    } else if (event.type === 'connect:retry')
      this.#lost(`nothing listens at ${this.#endpoint}, or it can not be reached`);
    else if (event.type === 'disconnect' || event.type.startsWith('handshake:error'))
      this.#lost(
        this.#link === 'up'
          ? `the connection to ${this.#endpoint} was lost`
          : `${this.#endpoint} did not take our encryption: is its key right?`,
      );
  }

  #lost(reason: string): void {
    const before = this.#link;
    this.#link = 'down';
    this.#outbox = new Outbox();
    if (before !== 'down' && !this.#isClosed) this.#listener.down(reason);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';
