import { TriggerdError } from '../../domain/errors.ts';
import { parsePluginName } from '../../domain/names.ts';
import { requestIn } from '../codec/from-client.ts';
import type { ToClient } from '../messages.ts';
import { BrokerSession, type BrokerSessionOptions } from './broker-session.ts';
import { ClientRequest } from './client-request.ts';
import { Question } from './question.ts';
import type { RequestChannel, RequestOrder } from './request-order.ts';

export interface BusClientOptions extends BrokerSessionOptions {
  /** Makes a request's id: a ULID. */
  readonly newId: () => string;
  /** A broker was lost, in words: the next one is asked by itself. */
  readonly onLost?: (why: string) => void;
}

/** While closing: until the workers have killed what was open, and said so. */
const cancelMs = 10_000;

/** Where requests and questions of one client come together with the session that carries them. */
export class BusClient {
  readonly #options: BusClientOptions;
  readonly #session: BrokerSession;
  readonly #requests = new Map<string, ClientRequest>();
  readonly #questions = new Map<number, Question>();
  readonly #channel: RequestChannel;
  #epoch = 0;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #awaitingReady: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(options: BusClientOptions) {
    this.#options = options;
    this.#session = new BrokerSession(options, {
      ready: () => this.#ready(),
      renewed: () => this.#askAll(),
      lost: (why) => this.#lost(why),
      failed: (error, isFinal) => this.#failed(error, isFinal),
      message: (message, body) => this.#take(message, body),
    });
    this.#channel = this.#channelTo(this.#session);
  }

  /** Resolves when a broker has welcomed us and knows who we are. Throws what kept that from happening. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#session.broker !== undefined) return resolve();
      this.#awaitingReady.push({ resolve, reject });
      this.#session.wake();
    });
  }

  /** Throws `request-invalid`, `plugin-name-invalid`, `request-too-large` for what could never be sent. */
  request(order: RequestOrder): ClientRequest {
    if (this.#isClosed) throw new TriggerdError('request-invalid', 'the client is closed');
    const checked = { ...order, plugin: fullPluginName(order.plugin) };
    checkOrder(checked);
    const tooLarge = this.#tooLarge(order.payload.length);
    if (tooLarge !== undefined) throw tooLarge;
    const id = order.id ?? this.#options.newId();
    const request = new ClientRequest(id, checked, this.#channel, this.#options.clock, () => this.#requests.delete(id));
    this.#requests.set(id, request);
    if (this.#session.broker !== undefined) request.ask();
    else this.#session.wake();
    return request;
  }

  /** A statement of the registry; its answer. `seen`: as the broker takes it (`messages.ts`). */
  ask(statement: unknown, seen?: string): Promise<unknown> {
    if (this.#isClosed) throw new TriggerdError('request-invalid', 'the client is closed');
    const n = this.#session.nextNonce();
    const question = new Question(n, { statement, seen }, this.#options.clock, () => this.#questions.delete(n));
    this.#questions.set(n, question);
    if (this.#session.broker !== undefined) this.#put(question);
    else this.#session.wake();
    return question.answer;
  }

  /**
   * Takes nothing new. What has not ended is cancelled, and heard of for `cancelMs` at most; with `leaves` it goes on on the
   * workers, for whoever asks again under its id. What is open then fails here.
   */
  close({ leaves = false }: { readonly leaves?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(leaves);
    return this.#closing;
  }

  async #close(leaves: boolean): Promise<void> {
    this.#isClosed = true;
    if (!leaves) await this.#cancelAll();
    const what = leaves ? 'what it asked for may go on' : 'nobody has confirmed that what it asked for ended';
    this.#failAll(new TriggerdError('broker-unreachable', `the client was closed; ${what}`));
    await this.#session.close();
  }

  async #cancelAll(): Promise<void> {
    const open = [...this.#requests.values()];
    if (open.length === 0) return;
    for (const request of open) request.abandon();
    const ended = Promise.allSettled(open.map(({ result }) => result));
    let cancelTimer = (): void => undefined;
    const timeIsUp = new Promise<void>((resolve) => {
      cancelTimer = this.#options.clock.after(cancelMs, resolve);
    });
    await Promise.race([ended, timeIsUp]).finally(cancelTimer);
  }

  /** Throws before the first login. */
  token(): { readonly jwt: string; readonly leftMs: number } {
    return { jwt: this.#session.jwt, leftMs: this.#session.jwtLeftMs };
  }

  #channelTo(session: BrokerSession): RequestChannel {
    const epoch = () => (session.broker === undefined ? undefined : this.#epoch);
    return {
      get epoch() {
        return epoch();
      },
      get jwt() {
        return session.jwt;
      },
      get checksProofs() {
        return session.broker?.proofs === true;
      },
      send: (message, body) => void session.send(message, body),
      renewToken: () => session.renew(),
      moveOn: () => session.moveOn(),
    };
  }

  #ready(): void {
    this.#epoch += 1;
    for (const { resolve } of this.#awaitingReady.splice(0)) resolve();
    this.#askAll();
  }

  #askAll(): void {
    for (const request of this.#requests.values()) {
      const tooLarge = this.#tooLarge(request.payloadBytes);
      if (tooLarge === undefined) request.ask();
      else request.fail(tooLarge);
    }
    for (const question of this.#questions.values()) this.#put(question);
  }

  #put(question: Question): void {
    if (!question.isOpen) return;
    question.asked();
    const { n, statement, seen } = question;
    const since = seen === undefined ? {} : { seen };
    this.#session.send({ op: 'registry', jwt: this.#session.jwt, n, statement, ...since });
  }

  #lost(why: string | null): void {
    for (const request of this.#requests.values()) request.detach();
    for (const question of this.#questions.values()) question.detach();
    if (why !== null) this.#options.onLost?.(why);
  }

  #failed(error: TriggerdError, isFinal: boolean): void {
    for (const { reject } of this.#awaitingReady.splice(0)) reject(error);
    for (const request of this.#requests.values()) request.giveUp(error, isFinal);
    for (const question of this.#questions.values()) isFinal ? question.fail(error) : question.giveUp(error);
  }

  #failAll(error: TriggerdError): void {
    for (const { reject } of this.#awaitingReady.splice(0)) reject(error);
    for (const request of this.#requests.values()) request.fail(error);
    for (const question of this.#questions.values()) question.fail(error);
  }

  #take(message: ToClient, body: Buffer): void {
    if ('id' in message && message.id !== undefined) this.#requests.get(message.id)?.take(message, body);
    else if ('n' in message && message.n !== undefined)
      this.#questions.get(message.n)?.take(message, body, () => this.#session.renew());
  }

  /** What is larger than the present broker takes would cost us the connection. */
  #tooLarge(bytes: number): TriggerdError | undefined {
    const limit = this.#session.broker?.max_message;
    if (limit === undefined || bytes <= limit) return undefined;
    return new TriggerdError('request-too-large', `the payload has ${bytes} bytes; the broker accepts ${limit}`);
  }
}

/** `command` is short for `command/command`, as in triggerFS. Throws `plugin-name-invalid`. */
export const fullPluginName = (name: string): string => parsePluginName(name === 'command' ? 'command/command' : name);

/** What the broker would not even understand, it could not answer either. */
const checkOrder = ({ service, plugin, args, timeoutMs, chain, ttl }: RequestOrder): void => {
  const timeout_ms = timeoutMs === null ? null : Math.ceil(timeoutMs);
  const head = { id: anyId, service, plugin, args, timeout_ms, resume: false, worker: null, chain, ttl };
  if (requestIn(head) === undefined)
    throw new TriggerdError(
      'request-invalid',
      'service, args, timeout, chain or ttl is missing, too long, or of the wrong kind',
    );
  const bytes = Object.entries(args).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (bytes > maxArgsBytes)
    throw new TriggerdError(
      'request-too-large',
      `the arguments have ${bytes} bytes; ${maxArgsBytes} are allowed: use the payload`,
    );
};

const anyId = '00000000000000000000000000';
/** They travel in the header, escaped. */
const maxArgsBytes = 65_536;
