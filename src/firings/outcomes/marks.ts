import type { FiringId } from '../../domain/firing.ts';
import { Gathered } from '../../kit/gathered.ts';
import type { FiringLog } from '../../queue/ports/journal.ts';

/**
 * Journals what etcd has been told. What arrives within one turn of the event loop shares a commit: after a long absence
 * there is much to tell, and a mark that a crash takes only means that etcd is told the same once more.
 */
export class Marks {
  readonly #gathered: Gathered<readonly [firing: FiringId, stage: string]>;

  constructor(firings: Pick<FiringLog, 'markPublished'>) {
    this.#gathered = new Gathered((marks) => firings.markPublished(Object.fromEntries(marks)));
  }

  /** Resolves when the mark is in the journal; rejects, for all that share the commit, when the journal refuses it. */
  add(firing: FiringId, stage: string): Promise<void> {
    return this.#gathered.add([firing, stage]);
  }
}
