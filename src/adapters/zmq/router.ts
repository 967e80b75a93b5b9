import { Context, type Observer, Router } from 'zeromq';
import { noBody } from '../../bus/codec/encode.ts';
import { maxHeaderBytes } from '../../bus/codec/parse.ts';
import type { PeerId } from '../../bus/ports.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { listeningEndpoint, socketTiming } from './endpoints.ts';
import { Outbox, receiveLoop } from './outbox.ts';
import { startAuthenticator, zapDomain } from './zap.ts';

export interface RouterOptions {
  /** Such as `tcp://0.0.0.0:5555`; port 0 is any. */
  readonly listen: string;
  /** CURVE secret key of this broker (Z85). */
  readonly secretKey: string;
  /** Largest body, in bytes. A connection that sends a much larger frame is closed by libzmq. */
  readonly maxMessage: number;
  readonly log: Log;
}

export interface RouterListener {
  /** One multipart as it came, for `eachMessage` from frame 1 on: `frames[0]` is the routing id. Must not throw. */
  frames(peer: PeerId, frames: Buffer[]): void;
  /** It is connected no more, or reads so slowly that more waits for it than is allowed: nothing is kept for it now. */
  gone(peer: PeerId, why: 'disconnected' | 'too-slow'): void;
  /** The socket is of no use any more; it is closed already. */
  dead(error: Error): void;
}

export interface BusRouter {
  /** With the port that was found where 0 was asked for. */
  readonly endpoint: string;
  send(peer: PeerId, head: string, body?: Buffer): void;
  /** Forgets what waits for this peer. */
  forget(peer: PeerId): void;
  /** Multiparts that were dropped, since their sender chose its routing id itself. */
  readonly dropped: number;
  /** Resolves when nothing listens on its address any more: it may be bound again at once. */
  close(): Promise<void>;
}

/** What may wait for one peer, in bytes, beyond what libzmq holds. */
const maxOutboxBytes = 33_554_432;
const highWaterMark = 256;
/** What a frame may have beyond the largest body, so that a body that is a little too large gets an answer. */
const frameAllowance = 2 * maxHeaderBytes;
/** Between two attempts to send to peers that read too slowly. ms. */
const retrySendMs = 10;

/** Opens the socket with CURVE and an authenticator of its own. Throws `broker-unusable`. */
export const openRouter = async (
  options: RouterOptions,
  listener: RouterListener,
  authenticate = startAuthenticator,
): Promise<BusRouter> => {
  const bound = await listeningEndpoint(options.listen).catch((cause: Error) => {
    throw new TriggerdError('broker-unusable', `[broker] listen = "${options.listen}": ${cause.message}`, { cause });
  });
  // A context of its own: the authenticator's address is one per context.
  const context = new Context();
  const socket = new Router({
    ...socketTiming,
    context,
    ipv6: bound.ipv6,
    mandatory: true,
    sendTimeout: 0,
    curveServer: true,
    curveSecretKey: options.secretKey,
    zapDomain,
    zapEnforceDomain: true,
    maxMessageSize: Math.max(options.maxMessage, maxHeaderBytes) + frameAllowance,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
    backlog: 1_024,
  });
  const authenticator = await authenticate(context, options.log);
  try {
    await socket.bind(bound.endpoint);
  } catch (cause) {
    socket.close();
    await authenticator.close();
    throw new TriggerdError('broker-unusable', `[broker] listen = "${options.listen}": ${(cause as Error).message}`, {
      cause,
    });
  }
  const router = new CurveRouter(socket, listener);
  const running = Promise.race([router.running, authenticator.running]);
  void running.then(
    () => router.ended(new Error('the socket closed unexpectedly')),
    (error: Error) => router.ended(error),
  );
  router.onClosed(() => authenticator.close());
  return router;
};

/**
 * One router socket. Each peer has an outbox while something waits for it; peers with something new are *dirty* and are
 * sent to once per turn of the event loop, peers whose pipe is full are *stuck* and tried again by a timer: none of them
 * holds up another.
 */
class CurveRouter implements BusRouter {
  readonly endpoint: string;
  readonly running: Promise<void>;
  readonly #socket: Router;
  readonly #listener: RouterListener;
  readonly #outboxes = new Map<PeerId, Outbox>();
  readonly #dirty = new Set<PeerId>();
  readonly #stuck = new Set<PeerId>();
  #dropped = 0;
  #isFlushing = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #closed: () => Promise<void> = () => Promise.resolve();

  constructor(socket: Router, listener: RouterListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.endpoint = socket.lastEndpoint ?? '';
    this.running = receiveLoop(socket, (frames) => this.#received(frames));
  }

  get dropped(): number {
    return this.#dropped;
  }

  onClosed(release: () => Promise<void>): void {
    this.#closed = release;
  }

  send(peer: PeerId, head: string, body: Buffer = noBody): void {
    if (!this.#keep(peer, head, body)) return;
    if (!this.#stuck.has(peer)) this.#dirty.add(peer);
    if (this.#dirty.size > 0) this.#flushSoon();
  }

  forget(peer: PeerId): void {
    this.#outboxes.delete(peer);
    this.#dirty.delete(peer);
    this.#stuck.delete(peer);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    // What was sent in this turn of the event loop is given to libzmq, which has `linger` to send it.
    await this.#flush();
    const { events } = this.#socket;
    this.#shut();
    await noLongerListening(events);
    await this.running;
    await this.#closed();
  }

  /** Fail closed: without an authenticator nobody gets in, and nobody is served who got in before. */
  ended(error: Error): void {
    if (this.#isClosed) return;
    this.#shut();
    void this.#closed();
    this.#listener.dead(error);
  }

  #shut(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#outboxes.clear();
    this.#dirty.clear();
    this.#stuck.clear();
    this.#socket.close();
  }

  #received(frames: Buffer[]): void {
    const [id] = frames;
    // Five bytes with a leading zero: given by libzmq, of no use to whoever would like to be somebody else.
    if (id === undefined || id.length !== 5 || id[0] !== 0) this.#dropped++;
    else this.#listener.frames(id.toString('latin1'), frames);
  }

  #keep(peer: PeerId, head: string, body: Buffer): boolean {
    if (this.#isClosed) return false;
    const outbox = this.#outboxOf(peer);
    const isTooMuch = outbox.bytes > maxOutboxBytes;
    if (isTooMuch) this.#giveUp(peer, 'too-slow');
    else outbox.add(head, body);
    return !isTooMuch;
  }

  #outboxOf(peer: PeerId): Outbox {
    const known = this.#outboxes.get(peer);
    if (known) return known;
    const outbox = new Outbox();
    this.#outboxes.set(peer, outbox);
    return outbox;
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true;
    while (this.#dirty.size > 0) {
      // The newest first: a client that is told “accepted” can wait, the worker that gets the request should not.
      const peers = [...this.#dirty].reverse();
      this.#dirty.clear();
      for (const peer of peers) await this.#sendTo(peer);
    }
    this.#isFlushing = false;
  }

  async #sendTo(peer: PeerId): Promise<void> {
    const id = Buffer.from(peer, 'latin1');
    for (let outbox = this.#outboxes.get(peer); outbox; outbox = this.#outboxes.get(peer)) {
      const { frame, count } = outbox.next();
      const failure = await this.#socket.send([id, frame]).then(() => undefined, codeOf);
      if (this.#isClosed) return;
      if (failure === 'EAGAIN') return this.#wait(peer);
      if (failure !== undefined) return this.#giveUp(peer, 'disconnected');
      outbox.sent(count);
      if (outbox.isEmpty) this.#outboxes.delete(peer);
    }
  }

  #wait(peer: PeerId): void {
    this.#stuck.add(peer);
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      for (const waiting of this.#stuck) this.#dirty.add(waiting);
      this.#stuck.clear();
      this.#flushSoon();
    }, retrySendMs);
  }

  #giveUp(peer: PeerId, why: 'disconnected' | 'too-slow'): void {
    this.forget(peer);
    this.#listener.gone(peer, why);
  }
}

/** A socket that was closed listens until a thread of libzmq comes to it. */
const noLongerListening = async (events: Observer): Promise<void> => {
  for await (const { type } of events) if (type === 'close') return;
};

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';
