import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FiringId } from '../../domain/firing.ts';
import type { FiringLog } from '../../queue/ports/firing-log.ts';

/**
 * Journals what etcd has been told. What arrives within one turn of the event loop shares a commit: after a long absence
 * there is much to tell, and a mark that a crash takes only means that etcd is told the same once more.
 */
export class Marks {
  readonly #firings: Pick<FiringLog, 'markPublished'>;
  #stages: Record<FiringId, string> = {};
  #written: Promise<void> | undefined;

  constructor(firings: Pick<FiringLog, 'markPublished'>) {
    this.#firings = firings;
  }

  /** Resolves when the mark is in the journal; rejects, for all that share the commit, when the journal refuses it. */
  add(firing: FiringId, stage: string): Promise<void> {
    this.#stages[firing] = stage;
    this.#written ??= this.#write();
    return this.#written;
  }

  async #write(): Promise<void> {
    await nextTurn();
    const stages = this.#stages;
    this.#stages = {};
    this.#written = undefined;
    this.#firings.markPublished(stages);
  }
}
