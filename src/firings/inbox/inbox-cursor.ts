import type { Log } from '../../kit/log.ts';
import type { Cursor, FiringLog } from '../../queue/ports/journal.ts';
import type { Listing } from '../../store/key-store.ts';

/** The cursor is written no more often than this: the listing, not the cursor, is what nothing gets past. */
const saveIntervalMs = 1_000;

/** How far the inbox has been read. A start compares it with the first listing, to notice that etcd's history is another. */
export class InboxCursor {
  readonly #firings: Pick<FiringLog, 'cursor' | 'saveCursor'>;
  readonly #log: Log;
  /** The history that is followed. */
  #seen: Cursor | undefined;
  /** How much of it is in the journal. */
  #accepted: Cursor | undefined;
  #savedAt = Number.NEGATIVE_INFINITY;

  constructor(firings: Pick<FiringLog, 'cursor' | 'saveCursor'>, log: Log) {
    this.#firings = firings;
    this.#log = log;
  }

  /** Follows the listing's history; says in words why that does not continue the one so far, if so. */
  follow({ clusterId, revision }: Listing): string | undefined {
    const before = this.#seen ?? this.#firings.cursor();
    const change = before && describeChange(before, { clusterId, revision: revision + 1n });
    if (this.#seen === undefined || change !== undefined) this.#seen = { clusterId, revision: revision + 1n };
    return change;
  }

  /** Everything up to and including this revision is in the journal. */
  advance(revision: bigint): void {
    if (this.#seen === undefined) return;
    this.#seen = { ...this.#seen, revision: revision + 1n };
    this.#accepted = this.#seen;
    if (performance.now() - this.#savedAt >= saveIntervalMs) this.save();
  }

  save(): void {
    if (this.#accepted === undefined) return;
    this.#savedAt = performance.now();
    try {
      this.#firings.saveCursor(this.#accepted);
    } catch (error) {
      this.#log.debug({ error }, 'The cursor was not saved; the next listing does not need it');
    }
  }
}

const describeChange = (before: Cursor, now: Cursor): string | undefined => {
  if (before.clusterId !== now.clusterId) return 'etcd is another cluster than before';
  if (now.revision < before.revision) return 'etcd has gone back to an older revision';
  return undefined;
};
