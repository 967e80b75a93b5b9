import { TriggerdError } from '../domain/errors.ts';
import type { Firing } from '../domain/firing.ts';
import { type Keys, lastSegment } from './keys.ts';
import type { Commit, Compare, KeyStore, Write } from './ports.ts';
import { parseFiring, serializeFiring, serializeInboxEntry } from './wire.ts';

/** Firing and entries fit into one transaction of etcd (128 operations) up to here. */
const maxTargetsAtOnce = 126;
const chunkSize = 100;
/** How often a chunked publication starts anew after a sweeper took it for abandoned. */
const maxStarts = 3;

export interface Place {
  readonly store: KeyStore;
  readonly keys: Keys;
}

export interface Published {
  readonly id: string;
  /** Targets that no etcd has ever seen: misspelt, or not installed yet. The firing is owed to them all the same. */
  readonly neverSeen: readonly string[];
}

/**
 * Publishes a firing: all of it, or nothing that a node would run. Publishing the same firing again, also after a lost
 * answer, is success. Throws `etcd-unreachable`, `etcd-refused`, `etcd-no-space`, and `input-invalid` when etcd has another firing under this id.
 */
export const publishFiring = (place: Place, firing: Firing): Promise<Published> =>
  publishDocument(place, serializeFiring(firing));

/** The same for a document that somebody else has written (the provider's spool): it is published byte for byte. */
export const publishDocument = async (place: Place, value: string): Promise<Published> => {
  const firing = parseOwn(value);
  const publication = { ...place, firing, value };
  if (firing.targets.length <= maxTargetsAtOnce) await publishAtOnce(publication);
  else await publishInChunks(publication);
  // Only for a warning: the firing is published, whatever comes of this.
  return { id: firing.id, neverSeen: await findNeverSeen(place, firing.targets).catch(() => []) };
};

/** What every reader would call malformed is refused here, before it is everywhere. */
const parseOwn = (value: string): Firing => {
  try {
    return parseFiring('the firing', value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TriggerdError('input-invalid', `this can not be published: ${why}`, { cause });
  }
};

interface Publication extends Place {
  readonly firing: Firing;
  readonly value: string;
}

const publishAtOnce = async (publication: Publication): Promise<void> => {
  const { store, keys, firing, value } = publication;
  const key = keys.firing(firing.id);
  const commit = await store.commit({
    compare: [{ key, is: 'absent' }],
    write: [{ put: key, value }, ...entriesFor(publication, firing.targets)],
    otherwiseGet: [key],
  });
  if (!commit.succeeded && !isOurs(publication, commit)) throw swept(firing.id);
};

/**
 * *marked* → *entries written* → *committed*. Each step holds only while the marker is there; when it is gone, somebody
 * else has committed this very firing, or a sweeper has taken this publication for abandoned.
 */
const publishInChunks = async (publication: Publication): Promise<void> => {
  for (let start = 1; start <= maxStarts; start++) {
    if (await publishChunksOnce(publication)) return;
  }
  throw swept(publication.firing.id);
};

const publishChunksOnce = async (publication: Publication): Promise<boolean> => {
  const { keys, firing, value } = publication;
  const key = keys.firing(firing.id);
  const marker = keys.publishing(firing.id);
  const marked: Compare = { key: marker, is: 'present' };
  const steps: (readonly [Compare, readonly Write[]])[] = [
    [{ key, is: 'absent' }, [{ put: marker, value: serializeInboxEntry(firing.id) }]],
    ...chunksOf(firing.targets, chunkSize).map((targets) => [marked, entriesFor(publication, targets)] as const),
    [marked, [{ put: key, value }, { delete: marker }]],
  ];
  for (const [compare, write] of steps) {
    const commit = await publication.store.commit({ compare: [compare], write, otherwiseGet: [key] });
    if (!commit.succeeded) return isOurs(publication, commit);
  }
  return true;
};

const entriesFor = ({ keys, firing }: Publication, targets: readonly string[]): Write[] =>
  targets.map((node) => ({ put: keys.inbox(node, firing.id), value: serializeInboxEntry(firing.id) }));

/** Whether a failed compare means that an earlier try of ours had reached etcd: the stored firing is ours byte for byte. */
const isOurs = ({ firing, value }: Publication, commit: Commit): boolean => {
  const stored = commit.read[0];
  if (stored === undefined) return false;
  if (stored.value === value) return true;
  throw new TriggerdError('input-invalid', `etcd has another firing with the id ${firing.id}`);
};

const swept = (id: string): TriggerdError =>
  new TriggerdError('etcd-unreachable', `the publication of firing ${id} took so long that it was swept away`);

/** One transaction per chunk: it asks whether all are members, and only if not, which. */
const findNeverSeen = async ({ store, keys }: Place, targets: readonly string[]): Promise<string[]> => {
  const neverSeen: string[] = [];
  for (const chunk of chunksOf(targets, chunkSize)) {
    const members = chunk.map(keys.member);
    const compare = members.map((key) => ({ key, is: 'present' as const }));
    const { succeeded, read } = await store.commit({ compare, write: [], otherwiseGet: members });
    const seen = new Set(read.map((entry) => lastSegment(entry.key)));
    if (!succeeded) neverSeen.push(...chunk.filter((node) => !seen.has(node)));
  }
  return neverSeen;
};

const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
