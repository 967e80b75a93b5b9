import { TriggerdError } from '../../domain/errors.ts';
import type { Nonce, ToClient } from '../messages.ts';
import type { Clock } from './ports.ts';
import { errorOf } from './tokens.ts';

const answerMs = 30_000;

/** `seen`: the revision of the last answer, where the next one may say that nothing has changed. */
interface Asked {
  readonly statement: unknown;
  readonly seen?: string | undefined;
}

/** One question to the registry, whichever broker answers it. */
export class Question {
  readonly n: Nonce;
  readonly statement: unknown;
  readonly seen: string | undefined;
  readonly answer: Promise<unknown>;
  readonly #onEnd: () => void;
  #wasAsked = false;
  #isTokenRenewed = false;
  #resolve: (answer: unknown) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  readonly #cancelTimer: () => void;

  constructor(n: Nonce, { statement, seen }: Asked, clock: Clock, onEnd: () => void) {
    this.n = n;
    this.statement = statement;
    this.seen = seen;
    this.#onEnd = onEnd;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimer = clock.after(answerMs, () => this.fail(unanswered(`within ${answerMs / 1000} s`)));
  }

  /** Whether the present broker is still to be asked. */
  get isOpen(): boolean {
    return !this.#wasAsked;
  }

  asked(): void {
    this.#wasAsked = true;
  }

  /** The broker is gone: what only reads is asked again, a change may have been made. */
  detach(): void {
    if (!this.#wasAsked) return;
    if (isReading(this.statement)) this.#wasAsked = false;
    else this.fail(unanswered('before the broker was lost'));
  }

  giveUp(error: TriggerdError): void {
    if (!this.#wasAsked) this.fail(error);
  }

  /** `renewToken`: gets a new token after one was refused, and says whether it will. */
  take(message: ToClient, body: Buffer, renewToken: () => boolean): void {
    if (message.op === 'answer') this.#answered(body);
    else if (message.op !== 'refused') return;
    else if (message.code === 'token-invalid' && !this.#isTokenRenewed && renewToken()) {
      this.#isTokenRenewed = true;
      this.#wasAsked = false;
    } else this.fail(errorOf(message));
  }

  #answered(body: Buffer): void {
    try {
      const answer: unknown = JSON.parse(body.toString());
      this.#end(() => this.#resolve(answer));
    } catch (cause) {
      this.fail(new TriggerdError('bus-protocol', 'the answer of the registry is not JSON', { cause }));
    }
  }

  fail(error: TriggerdError): void {
    this.#end(() => this.#reject(error));
  }

  #end(settle: () => void): void {
    this.#cancelTimer();
    this.#onEnd();
    settle();
  }
}

const isReading = (statement: unknown): boolean =>
  typeof statement === 'object' &&
  statement !== null &&
  'verb' in statement &&
  typeof statement.verb === 'string' &&
  statement.verb.endsWith('.list');

const unanswered = (when: string): TriggerdError =>
  new TriggerdError('broker-unreachable', `no answer from the registry ${when}; a change may have been made`);
