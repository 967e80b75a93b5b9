import type { Log } from '../kit/log.ts';
import { startTimer } from '../kit/timer.ts';
import type { EndedWrite, MessageSpool } from './delivery-ports.ts';

/** While the disk is busy with what nobody waits for, the next writer's request waits: once for many. */
const gatherMs = 20;

/**
 * What became of synchronous writes. Their writers are answered first, and it goes to the journal a moment later, in
 * order, that of several in one transaction. Whoever reads it calls `write` before.
 */
export class EndedWrites {
  readonly #spool: MessageSpool;
  readonly #log: Log;
  #ended: EndedWrite[] = [];
  #waiting: (() => void) | undefined;
  #isOver = false;

  constructor(spool: MessageSpool, log: Log) {
    this.#spool = spool;
    this.#log = log;
  }

  add(ended: EndedWrite): void {
    if (this.#isOver) return;
    this.#ended.push(ended);
    this.#waiting ??= startTimer(gatherMs, () => this.write());
  }

  /** Now. The writers have heard that their requests have ended: a journal that fails is the log's to tell. */
  write(): void {
    this.#waiting?.();
    this.#waiting = undefined;
    const ended = this.#ended;
    if (ended.length === 0) return;
    this.#ended = [];
    try {
      this.#spool.record(ended);
    } catch (error) {
      const count = ended.length;
      this.#log.error({ error, count }, 'Cannot store the results of synchronous writes; they are not counted');
    }
  }

  /** The journal may be closed then; a request that a stop has ended counts no more. */
  stop(): void {
    this.write();
    this.#isOver = true;
  }
}
