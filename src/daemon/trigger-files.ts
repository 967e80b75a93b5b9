import type { TriggerFileView } from '../api/contract.ts';
import { Tree } from '../mount/tree.ts';
import type { Parts } from './parts.ts';

/** What became of what was written to the trigger files of this node. Throws `journal-failed`. */
export const triggerFiles = ({ journal, config }: Pick<Parts, 'journal' | 'config'>): TriggerFileView[] => {
  const { team } = config.main;
  if (team === undefined) return [];
  const spool = journal.fileMessages(team);
  const saved = spool.savedTree();
  const tree = saved === undefined ? undefined : new Tree(saved);
  return [...spool.counts()].map(([id, { hits, hitAt, waiting, dead, reason }]) => ({
    path: tree?.pathOf(id) ?? null,
    ...{ hits, waiting, dead, reason },
    hit_at: new Date(hitAt).toISOString(),
  }));
};
