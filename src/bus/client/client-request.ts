import { TriggerdError } from '../../domain/errors.ts';
import type { RequestId } from '../../domain/request.ts';
import type { Algorithm } from '../../domain/service.ts';
import { visible } from '../../kit/text.ts';
import type { Refusal, RequestHead, ToClient } from '../messages.ts';
import { AcknowledgedOutput } from './acknowledged-output.ts';
import { type Outcome, outcomeOf, type RequestLeg, type RequestResult, untoldOutcome } from './outcome.ts';
import type { RequestOutput } from './output.ts';
import type { Clock } from './ports.ts';
import type { Accepted, RequestChannel, RequestOrder } from './request-order.ts';
import { errorOf } from './tokens.ts';

/** How long after its time the broker may take to say how it ended; more than the broker's own grace. */
const graceMs = 20_000;
/** A request without a time of its own that was asked for is given up when no broker has been there for so long. */
const patienceMs = 300_000;
/** After a cancel: until the worker has killed everything, TERM and KILL, and said so. */
const cancelMs = 30_000;

/**
 * One request, whichever broker carries it.
 *
 *     waiting ──ask──► asked ──final, refused──► ended
 *        ▲              │  ▲                       ▲
 *        │      draining│  │ask, with `resume`     │
 *        └── a token ───┤  │                       │
 *            refused    └► detached ──too long─────┤
 *     waiting ── no broker answers, cancelled ─────┘
 *
 * *Waiting* it was never taken by a broker; *detached* it was, and that broker is gone: it may run. It is asked for under
 * one id all its life, and only after `detached` (also of an earlier client) with `resume`, so that brokers ask the workers
 * before they start it.
 * A result is a value, however it ended; what was refused as a whole is an error.
 */
export class ClientRequest {
  readonly id: RequestId;
  /** Once a broker has it. */
  readonly accepted: Promise<Accepted>;
  readonly result: Promise<RequestResult>;

  readonly #order: RequestOrder;
  readonly #clock: Clock;
  readonly #channel: RequestChannel;
  readonly #deadline: number | undefined;
  readonly #output: AcknowledgedOutput;
  readonly #legs = new Map<string, RequestLeg>();
  readonly #onEnd: () => void;
  #state: 'waiting' | 'asked' | 'detached' | 'ended' = 'waiting';
  #algorithm: Algorithm | null = null;
  /** The worker that was given it last. */
  #worker: string | null = null;
  /** A broker that had it was lost: from then on nothing of it may begin unasked. */
  #mayRun: boolean;
  #isTokenRenewed = false;
  #isCancelled = false;
  #accept: (accepted: Accepted) => void = () => undefined;
  #resolve: (result: RequestResult) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(id: RequestId, order: RequestOrder, channel: RequestChannel, clock: Clock, onEnd: () => void) {
    this.id = id;
    this.#order = order;
    this.#channel = channel;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#mayRun = order.resume === true;
    this.#deadline = order.timeoutMs === null ? undefined : clock.now() + order.timeoutMs;
    this.#output = new AcknowledgedOutput({
      isDiscarded: order.discardOutput,
      epoch: () => channel.epoch ?? 0,
      mayAcknowledge: () => this.#state === 'asked',
      acknowledge: (worker, bytes) => channel.send({ op: 'ack', id, worker, bytes }),
    });
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const taken = new Promise<Accepted>((resolve) => {
      this.#accept = resolve;
    });
    this.accepted = Promise.race([taken, this.result.then(({ algorithm }) => ({ algorithm, workers: null }))]);
    // Whoever does not look at one of the two must not be ended by it.
    this.result.catch(() => undefined);
    this.accepted.catch(() => undefined);
    if (this.#deadline !== undefined) this.#cancelTimer = clock.after(this.#left() + graceMs, () => this.#timeIsUp());
  }

  get output(): RequestOutput {
    return this.#output.reader;
  }

  get payloadBytes(): number {
    return this.#order.payload.length;
  }

  /** A broker is there: asks it, unless it has been asked. */
  ask(): void {
    if (this.#state !== 'waiting' && this.#state !== 'detached') return;
    // It would pass the proof over, and ask with all the rights of this machine.
    if (this.#order.proof !== undefined && !this.#channel.checksProofs) {
      this.fail(new TriggerdError('proof-unsupported', 'the broker does not check proofs'));
      return;
    }
    const resume = this.#mayRun;
    this.#state = 'asked';
    const { proof, own } = this.#order;
    const fromJob = { ...(proof === undefined ? {} : { proof }), ...(own === undefined ? {} : { own }) };
    this.#channel.send(
      { op: 'request', jwt: this.#channel.jwt, ...this.#head(resume), ...fromJob },
      this.#order.payload,
    );
    if (this.#isCancelled) this.#sendCancel();
  }

  /** The broker is gone. */
  detach(): void {
    if (this.#state !== 'asked') return;
    this.#state = 'detached';
    this.#mayRun = true;
    if (this.#deadline !== undefined || this.#isCancelled) return;
    this.#restartTimer(patienceMs, () => this.fail(unreachable('no broker has answered for five minutes')));
  }

  /** No broker answers: what was never taken is over; what was goes on waiting. */
  giveUp(error: TriggerdError, isFinal: boolean): void {
    if (this.#state === 'waiting' || isFinal) this.fail(error);
  }

  /** Ends it, also on the worker. The result says how. */
  cancel(): void {
    if (this.#state === 'ended' || this.#isCancelled) return;
    this.#isCancelled = true;
    if (this.#state === 'waiting') this.#end(untoldOutcome('killed', 'cancelled before a broker had it'));
    else this.#cancelAsked();
  }

  /** Cancels, and lets nobody wait for a reader: a job whose output nobody reads would not end. */
  abandon(): void {
    if (!this.output.isTaken) this.output.discard();
    this.cancel();
  }

  #cancelAsked(): void {
    this.#restartTimer(cancelMs, () =>
      this.#end(untoldOutcome('lost', 'cancelled; nobody has confirmed that it ended')),
    );
    if (this.#state === 'asked') this.#sendCancel();
  }

  take(message: ToClient, body: Buffer): void {
    if (this.#state !== 'asked') return;
    if (message.op === 'partial') this.#partial(message.worker, message.stream, message.offset, body);
    else if (message.op === 'accepted') this.#accepted(message.algorithm, message.workers);
    else if (message.op === 'dispatched') this.#dispatched(message);
    else if (message.op === 'leg') this.#legEnded({ worker: message.worker, ...outcomeOf(message) });
    else if (message.op === 'final') this.#final(message, body);
    else if (message.op === 'refused') this.#refused(message);
  }

  #head(resume: boolean): RequestHead {
    const { service, plugin, args, chain, ttl } = this.#order;
    return {
      id: this.id,
      service,
      plugin,
      args,
      timeout_ms: this.#deadline === undefined ? null : Math.max(1, Math.ceil(this.#left())),
      resume,
      worker: resume && this.#isForOne() ? this.#worker : null,
      chain,
      ttl,
    };
  }

  #accepted(algorithm: Algorithm | null, workers: number | null = null): void {
    this.#algorithm = algorithm;
    this.#accept({ algorithm, workers });
  }

  #legEnded(leg: RequestLeg): void {
    this.#legs.set(leg.worker, leg);
    this.output.legEnded(leg);
  }

  #dispatched({ worker, algorithm, workers }: Extract<ToClient, { readonly op: 'dispatched' }>): void {
    if (algorithm !== undefined) this.#accepted(algorithm, workers);
    this.#worker = worker;
    this.#output.dispatched(worker);
  }

  #partial(worker: string, stream: 'out' | 'err', offset: number, body: Buffer): void {
    if (!this.#output.take(worker, stream, offset, body))
      this.#protocolBroken(`output of ${visible(worker)} is missing`);
  }

  #final(message: Extract<ToClient, { readonly op: 'final' }>, body: Buffer): void {
    const { algorithm, worker, stream } = message;
    const outcome = outcomeOf(message);
    if (algorithm !== undefined) this.#accepted(algorithm);
    if (worker !== undefined && stream !== undefined) this.#partial(worker, stream, 0, body);
    if (worker !== undefined) this.#legEnded({ worker, ...outcome });
    const { code, result, reason } = outcome;
    const isRefusal = result === 'refused' || result === 'lost';
    if (isRefusal && code !== null && (this.#isForOne() || this.#legs.size <= 1))
      this.fail(new TriggerdError(code, visible(`${this.#lastLeg()}${reason ?? result}`)));
    else this.#end(outcome);
  }

  /** Where each leg stands in for the one before it, the last one speaks for all. */
  #isForOne(): boolean {
    return this.#algorithm === 'roundrobin' || this.#algorithm === null;
  }

  #lastLeg(): string {
    const worker = [...this.#legs.keys()].at(-1);
    return worker === undefined ? '' : `${worker}: `;
  }

  #protocolBroken(what: string): void {
    this.#sendCancel();
    this.fail(new TriggerdError('bus-protocol', what));
  }

  #refused(refusal: Refusal): void {
    if (refusal.code === 'draining') {
      this.#askAgain();
      this.#channel.moveOn();
    } else if (refusal.code === 'token-invalid' && !this.#isTokenRenewed && this.#channel.renewToken()) {
      this.#isTokenRenewed = true;
      this.#askAgain();
    } else this.fail(errorOf(refusal));
  }

  #askAgain(): void {
    this.#state = this.#mayRun ? 'detached' : 'waiting';
  }

  #timeIsUp(): void {
    if (this.#state === 'asked') this.#end(untoldOutcome('timed-out', 'nobody has said how it ended'));
    else this.fail(unreachable('no broker has answered since'));
  }

  #end(outcome: Outcome): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelTimer();
    this.output.close();
    this.#resolve({ id: this.id, algorithm: this.#algorithm, ...outcome, legs: [...this.#legs.values()] });
    this.#onEnd();
  }

  fail(error: TriggerdError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelTimer();
    this.output.close(error);
    this.#reject(error);
    this.#onEnd();
  }

  #sendCancel(): void {
    this.#channel.send({ op: 'cancel', jwt: this.#channel.jwt, id: this.id });
  }

  #restartTimer(ms: number, act: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, act);
  }

  #left(): number {
    return (this.#deadline ?? 0) - this.#clock.now();
  }
}

const unreachable = (what: string): TriggerdError =>
  new TriggerdError('broker-unreachable', `the broker was lost, and ${what}; the request may have run`);
