import { formatDuration } from '../kit/duration.ts';
import { withTimeout } from '../kit/with-timeout.ts';
import type { Definition } from '../registry/model.ts';
import { Assembler, type MessageMaker } from './assembler.ts';
import { Document } from './document.ts';
import { FsError } from './errno.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { Gateway, OpenFlags, Wait, WritePiece } from './ports.ts';
import { syncMs } from './sync-time.ts';

/** A control file: its content is that of the moment in which reading began. */
export class OpenControl {
  readonly #fetch: () => Promise<Buffer>;
  #content: Promise<Buffer> | undefined;

  constructor(fetch: () => Promise<Buffer>) {
    this.#fetch = fetch;
  }

  async read(length: number, offset: number): Promise<Buffer> {
    if (offset === 0 || this.#content === undefined) this.#content = withAnswerTimeout(this.#fetch());
    return (await this.#content).subarray(offset, offset + length);
  }

  async write(): Promise<void> {
    throw new FsError('EBADF', 'not open for writing');
  }

  settle(): undefined {}

  resize(size: number): void {
    throw new FsError('EBADF', `truncate to ${size}: not open for writing`);
  }

  release(): void {}
}

interface OpenTriggerOptions {
  /** As it was when it was opened: its framing and limit hold for this handle. */
  readonly definition: Definition;
  /** As it is now; undefined when it is gone. */
  readonly current: () => Definition | undefined;
  readonly gateway: Gateway;
  readonly budget: MemoryBudget;
  readonly onHit: () => void;
  readonly flags: OpenFlags;
  /** Bytes of the trigger’s last answer. */
  readonly lastSize: () => number;
  /** Whether who closes a file that was opened then (`performance.now()`) was killed by a signal. */
  readonly isCloserKilled: (openedAt: number) => Promise<boolean>;
  /** What a killed writer has left was not sent. */
  readonly onDropped: () => void;
}

/**
 * A trigger file that is open. Operations of one handle follow each other, but what waits for the end of a request
 * (`settle`, `read`) waits outside of that row: nobody is held up by somebody else's request.
 */
export class OpenTrigger {
  readonly #options: OpenTriggerOptions;
  readonly #maker: MessageMaker;
  readonly #openedAt = performance.now();
  /** Undefined while nothing is under way. */
  #row: Wait;
  /** Synchronous requests that continue, and the first failure since the last `settle`. */
  readonly #pending = new Set<Promise<unknown>>();
  #failure: { readonly thrown: unknown } | undefined;
  /** The last synchronous request's own output. */
  #own: Promise<Buffer> | undefined;
  #reading: { readonly content: Promise<Buffer>; readonly from: number } | undefined;

  constructor(options: OpenTriggerOptions) {
    this.#options = options;
    this.#maker = makerFor(options);
  }

  get definition(): Definition {
    return this.#options.definition;
  }

  /** A program has begun to write, and the message may not be over. */
  get isBegun(): boolean {
    return this.#maker.isBegun;
  }

  write(piece: WritePiece): Wait {
    return this.#inRow(() => {
      const step = this.#maker.add(piece);
      const taken = this.#dispatch(step.messages);
      if (taken !== undefined) return taken.then(step.commit);
      step.commit();
      return undefined;
    });
  }

  /** At `close` and `fsync`: what is unfinished is a message now, except a document at `fsync`, and what is synchronous has its end. */
  settle(at: 'close' | 'fsync'): Wait {
    const taken = this.#inRow(() => {
      if (at === 'fsync' && this.#maker instanceof Document) return undefined;
      if (at === 'fsync' || this.#maker.isEmpty || !isDropped(this.#options.definition)) return this.#takeRest();
      return this.#takeUnlessKilled();
    });
    const isOver = taken === undefined && this.#pending.size === 0 && this.#failure === undefined;
    return isOver ? undefined : this.#ended(taken);
  }

  async #takeUnlessKilled(): Promise<void> {
    if (await this.#options.isCloserKilled(this.#openedAt)) {
      const refusal = new FsError('EIO', `${this.#options.definition.name}: a signal has killed its writer`);
      this.#maker.refuse(refusal);
      this.#options.onDropped();
      throw refusal;
    }
    await this.#takeRest();
  }

  #takeRest(): Wait {
    const step = this.#maker.end();
    step.commit();
    return this.#dispatch(step.messages);
  }

  /**
   * After a synchronous write through this handle: that request's own output, from where reading begins; otherwise the
   * trigger's last result.
   */
  async read(length: number, offset: number): Promise<Buffer> {
    if (this.#reading === undefined || offset <= this.#reading.from) {
      const { gateway, definition } = this.#options;
      const content = this.#own ?? withAnswerTimeout(gateway.content(definition.id, 'result'));
      this.#reading = { content, from: this.#own === undefined ? 0 : offset };
    }
    const { content, from } = this.#reading;
    return (await content).subarray(offset - from, offset - from + length);
  }

  /** `ftruncate(2)`. Throws EPERM for what is no document, and what `Document` refuses. */
  resize(size: number): void {
    if (this.#maker instanceof Document) this.#maker.resize(size);
    else if (size !== 0) throw new FsError('EPERM', `truncate to ${size}`);
  }

  release(): void {
    this.#maker.drop();
  }

  async #ended(taken: Wait): Promise<void> {
    await taken;
    await Promise.all(this.#pending);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.thrown;
  }

  #dispatch(messages: readonly Buffer[]): Wait {
    if (messages.length === 0) return undefined;
    const definition = this.#options.current();
    if (definition === undefined) throw new FsError('ESTALE', `${this.#options.definition.name} is gone`);
    this.#options.onHit();
    this.#reading = undefined;
    if (definition.delivery === 'async') {
      this.#own = undefined;
      const spooled = this.#options.gateway.spool(definition.id, messages, definition.durable);
      return spooled === undefined ? undefined : withAnswerTimeout(spooled);
    }
    for (const message of messages) this.#send(definition, message);
    return undefined;
  }

  #send(definition: Definition, message: Buffer): void {
    const { budget, gateway } = this.#options;
    budget.assertSpace(message.length);
    budget.take(message.length);
    // The daemon has the trigger's timeout in view; this is for one that is frozen.
    const sent = withAnswerTimeout(gateway.send(definition.id, message), syncMs(definition) + answerMs);
    const over = (): void => {
      budget.give(message.length);
      this.#pending.delete(ended);
    };
    const ended = sent.then(over, (thrown: unknown) => {
      this.#failure ??= { thrown };
      over();
    });
    this.#pending.add(ended);
    this.#own = sent;
  }

  #inRow(work: () => Wait): Wait {
    const turn = this.#row === undefined ? work() : this.#row.then(work);
    if (turn === undefined) return undefined;
    const over = (): void => {
      if (this.#row === row) this.#row = undefined;
    };
    const row = turn.then(over, over);
    this.#row = row;
    return turn;
  }
}

const makerFor = ({ definition, budget, flags, lastSize }: OpenTriggerOptions): MessageMaker => {
  const { framing, max_message: maxMessage } = definition;
  if (framing !== 'close') return new Assembler(framing, maxMessage, budget);
  return new Document({ ...flags, maxMessage, budget, lastSize });
};

/** What a killed writer leaves of a document may be anything; a line or a record of a log may say why it was killed. */
const isDropped = ({ framing, partial = null }: Definition): boolean =>
  partial === null ? framing === 'close' : partial === 'drop';

/**
 * What a mount waits for an answer that needs no services. Less than the bound of the file system's own
 * (`adapters/fuse/mount.ts`), which does not know what happens inside.
 */
const answerMs = 8_000;

/**
 * `work`, or ETIMEDOUT after `ms`. Whoever waits for us cannot be killed, and a daemon that is frozen answers nothing.
 */
const withAnswerTimeout = <T>(work: Promise<T>, ms: number = answerMs): Promise<T> =>
  withTimeout(work, ms, () => {
    throw new FsError('ETIMEDOUT', `no answer in ${formatDuration(ms)}`);
  });
