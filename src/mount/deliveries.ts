import { setMaxListeners } from 'node:events';
import { TriggerdError } from '../domain/errors.ts';
import { formatDuration } from '../kit/duration.ts';
import type { Log } from '../kit/log.ts';
import { pause } from '../kit/pause.ts';
import { type RetryPolicy, retryDelayMs } from '../kit/retry.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import type { Definition } from '../registry/model.ts';
import type { Delivery, MessageSpool, RequestSender, SpooledMessage, TriggerOutput } from './delivery-ports.ts';

export interface DeliveriesOptions {
  readonly spool: MessageSpool;
  readonly sender: RequestSender;
  readonly newId: () => string;
  /** Undefined where the tree that is known has no such trigger. */
  readonly definitionOf: (id: number) => Definition | undefined;
  /** Not only remembered from an earlier life: what is not in it is gone. */
  readonly isTreeCurrent: () => boolean;
  /** Where who takes requests also knows the tree. Throws what keeps it from being told. */
  readonly askForTree: (() => Promise<void>) | undefined;
  /** A message is off the disk, one way or the other. */
  readonly onSettled: (message: SpooledMessage, output: TriggerOutput | undefined) => void;
  /** How long a message is tried whose trigger does not say it. */
  readonly deadlineMs: number;
  /** Of the spool's own clock; ms. Throws `journal-failed`. */
  readonly now: () => number;
  readonly log: Log;
}

type Failed = Extract<Delivery, { kind: 'failed' }>;

/** While broker or workers are away. */
const deliveryRetry: RetryPolicy = { firstMs: 250, factor: 2, maxMs: 15_000, jitter: 0.3 };

/**
 * Sends what waits: one after the other for each trigger, in the order of arrival, all triggers at the same time. What a
 * broker or a worker cannot take now, or a plugin cannot do now, is tried again; what is refused for good, or is not delivered before its deadline,
 * becomes a dead letter, and the next one has its turn. A trigger's settings are those that it has at an attempt, its deadline
 * too.
 */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #stop = new AbortController();
  readonly #running = new Map<number, Promise<void>>();
  /** Heads that an earlier daemon may have sent. */
  readonly #maybeSent = new Set<number>();

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    // Each trigger that waits listens.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Goes on with what an earlier daemon has left. */
  start(): void {
    for (const id of this.#options.spool.waiting()) {
      const seq = this.#options.spool.head(id)?.seq;
      if (seq !== undefined) this.#maybeSent.add(seq);
      this.wake(id);
    }
  }

  /** Something was spooled for this trigger. */
  wake(id: number): void {
    if (this.#stop.signal.aborted || this.#running.has(id)) return;
    this.#running.set(id, this.#deliverAll(id));
  }

  /** What is on its way may be sent again after the next start, under the same id. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  /** A journal that fails is tried again, as everything else is. */
  async #deliverAll(id: number): Promise<void> {
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      let leftMs = Number.POSITIVE_INFINITY;
      try {
        const message = this.#options.spool.head(id);
        // Nothing is awaited in between: whoever spools now finds nobody running.
        if (message === undefined) break;
        if (await this.#deliver(message)) attempt = 0;
        else leftMs = this.#leftMs(message);
      } catch (error) {
        this.#options.log.error({ error, definition: id }, 'The journal fails; deliveries of this trigger wait');
      }
      if (attempt > 0) await pause(Math.min(retryDelayMs(deliveryRetry, attempt), leftMs), this.#stop.signal);
    }
    this.#running.delete(id);
  }

  /** Whether this message is settled. */
  async #deliver(message: SpooledMessage): Promise<boolean> {
    const { definitionOf, isTreeCurrent } = this.#options;
    const isKnown = await this.#askForTree();
    if (this.#stop.signal.aborted) return false;
    const definition = definitionOf(message.definition);
    if (definition === undefined) return isTreeCurrent() && this.#bury(message, 'the trigger is gone');
    if (this.#leftMs(message) <= 0) {
      const deadline = formatDuration(this.#deadlineMs(definition));
      return this.#bury(message, `it was not delivered within ${deadline}`);
    }
    if (!isKnown) return false;
    const resume = this.#maybeSent.has(message.seq);
    this.#maybeSent.add(message.seq);
    const delivery = await this.#orFailed(this.#options.sender.send({ ...message, definition, resume }));
    if (this.#stop.signal.aborted) return false;
    return this.#settle(message, delivery, resume);
  }

  /** Whether it may be sent. What was changed while nobody was there counts, too: a dead letter that is tried again would die of what was put right. */
  async #askForTree(): Promise<boolean> {
    const { isTreeCurrent, askForTree } = this.#options;
    if (isTreeCurrent() || askForTree === undefined) return true;
    return (await this.#orFailed(askForTree())) === undefined;
  }

  /** Until its deadline; without end while its trigger is not known. */
  #leftMs({ definition, since }: SpooledMessage): number {
    const { definitionOf, now } = this.#options;
    const known = definitionOf(definition);
    return known === undefined ? Number.POSITIVE_INFINITY : since + this.#deadlineMs(known) - now();
  }

  /** A tree that was saved by a daemon of before has no deadlines. */
  #deadlineMs({ deadline_ms }: Definition): number {
    return deadline_ms ?? this.#options.deadlineMs;
  }

  /** A stop waits for no request, and ends none: the next start asks for it again. */
  async #orFailed<T>(work: Promise<T>): Promise<T | Failed> {
    try {
      return await unlessAborted(work, this.#stop.signal, stopped);
    } catch (thrown) {
      const error =
        thrown instanceof TriggerdError ? thrown : new TriggerdError('internal', String(thrown), { cause: thrown });
      return { kind: 'failed', error };
    }
  }

  #settle(message: SpooledMessage, delivery: Delivery, wasResumed: boolean): boolean {
    const { spool, onSettled, log } = this.#options;
    if (delivery.kind === 'ended' && delivery.again === true) return this.#askAgain(message, delivery.output);
    if (delivery.kind === 'ended') {
      spool.deliver(message.seq, message.definition, delivery.output);
      this.#maybeSent.delete(message.seq);
      onSettled(message, delivery.output);
      return true;
    }
    const { error } = delivery;
    if (!error.retryable && !isOurs(error)) return this.#bury(message, error.message);
    if (!wasResumed)
      log.warn({ error, request: message.id, definition: message.definition }, 'A message was not delivered; retrying');
    return false;
  }

  /** Its job has ended without having done it: the next attempt is another job. */
  #askAgain({ id, seq, definition }: SpooledMessage, { exitCode, reason }: TriggerOutput): false {
    const { spool, newId, log } = this.#options;
    spool.renew(seq, newId());
    this.#maybeSent.delete(seq);
    log.warn({ request: id, definition, exitCode, reason }, 'The plugin asked for a later retry');
    return false;
  }

  #bury(message: SpooledMessage, reason: string): true {
    const { spool, onSettled, log } = this.#options;
    spool.bury(message.seq, message.definition, reason);
    this.#maybeSent.delete(message.seq);
    log.error(
      { request: message.id, definition: message.definition, reason },
      'A message of a trigger file is a dead letter',
    );
    onSettled(message, undefined);
    return true;
  }
}

const stopped = (): Failed => ({ kind: 'failed', error: new TriggerdError('draining', 'the daemon stops') });

/** What is wrong with this node's own login is no fault of the message. */
const isOurs = ({ code }: TriggerdError): boolean => code === 'login-failed' || code === 'token-invalid';
