import { TriggerdError } from '../../domain/errors.ts';
import type { WholeFiring } from '../../domain/firing.ts';
import type { Entry, Write } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keys.ts';

/** A firing on its way into etcd, with the bytes that its publisher has given it. */
export interface Publication extends Keyspace {
  readonly firing: WholeFiring;
  readonly value: string;
}

/** The same entry for every target. */
export const entriesFor = ({ keys, firing }: Publication, value: string): Write[] =>
  firing.targets.map((node) => ({ put: keys.inbox(node, firing.id), value }));

/** What `isCommitted` needs to see. */
export const committedKeys = ({ keys, firing }: Publication): string[] => [
  keys.firing(firing.id),
  keys.targets(firing.id),
];

/**
 * Whether the firing is there already: an earlier try, or another publisher of the same document, was first. Throws
 * `input-invalid` when it is another one with this id.
 */
export const isCommitted = (publication: Publication, read: readonly Entry[]): boolean => {
  const [firingKey, targetsKey] = committedKeys(publication);
  const committed = read.find(({ key }) => key === firingKey);
  if (committed === undefined) return false;
  assertOurs(publication, read.find(({ key }) => key === targetsKey) ?? committed);
  return true;
};

/** That the whole document there is ours byte for byte. */
export const assertOurs = ({ firing, value }: Publication, whole: Entry): void => {
  if (whole.value !== value)
    throw new TriggerdError('input-invalid', `etcd has another firing with the ID ${firing.id}`);
};
