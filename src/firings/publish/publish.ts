import { TriggerdError } from '../../domain/errors.ts';
import type { WholeFiring } from '../../domain/firing.ts';
import { chunksOf, inWindows } from '../../kit/in-windows.ts';
import { type Keyspace, lastSegment } from '../../store/keys.ts';
import { parseWholeFiring, serializeFiring, serializeInboxEntry } from '../wire/firing.ts';
import { committedKeys, entriesFor, isCommitted, type Publication } from './publication.ts';
import { publishInChunks } from './publish-in-chunks.ts';

/** Firing and entries fit into one transaction of etcd (128 operations) up to here. */
const maxTargetsAtOnce = 126;
/** Members that are asked for in one transaction. */
const membersAtOnce = 100;
/** How often a chunked publication starts anew after a sweeper took it for abandoned. */
const maxStarts = 3;

export interface Published {
  readonly id: string;
  /** Targets that no etcd has ever seen: misspelt, or not installed yet. The firing is owed to them all the same. */
  readonly neverSeen: readonly string[];
}

/**
 * Publishes a firing: all of it, or nothing that a node would run. Publishing the same firing again, also after a lost
 * answer, is success. Throws `etcd-unreachable`, `etcd-refused`, `etcd-no-space`, and `input-invalid` when etcd has another firing under this id.
 */
export const publishFiring = (keyspace: Keyspace, firing: WholeFiring): Promise<Published> =>
  publishDocument(keyspace, serializeFiring(firing));

/** The same for a document that somebody else has written (the provider's spool): it is published byte for byte. */
export const publishDocument = async (keyspace: Keyspace, value: string): Promise<Published> => {
  const firing = parseOwn(value);
  const publication = { ...keyspace, firing, value };
  if (firing.targets.length <= maxTargetsAtOnce) await publishAtOnce(publication);
  else await publishMany(publication);
  // Only for a warning: the firing is published, whatever comes of this.
  return { id: firing.id, neverSeen: await findNeverSeen(keyspace, firing.targets).catch(() => []) };
};

/** What every reader would call malformed is refused here, before it is everywhere. */
const parseOwn = (value: string): WholeFiring => {
  try {
    return parseWholeFiring('the firing', value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TriggerdError('input-invalid', `the firing cannot be published: ${why}`, { cause });
  }
};

const publishAtOnce = async (publication: Publication): Promise<void> => {
  const { store, keys, firing, value } = publication;
  const key = keys.firing(firing.id);
  const commit = await store.commit({
    compare: [{ key, is: 'absent' }],
    write: [{ put: key, value }, ...entriesFor(publication, serializeInboxEntry(firing.id))],
    otherwiseGet: committedKeys(publication),
  });
  if (!commit.succeeded && !isCommitted(publication, commit.read)) throw swept(firing.id);
};

/** Starts anew when a sweeper took the publication for abandoned, but not for ever. */
const publishMany = async (publication: Publication): Promise<void> => {
  for (let start = 1; start <= maxStarts; start++) {
    if (await publishInChunks(publication)) return;
  }
  throw swept(publication.firing.id);
};

const swept = (id: string): TriggerdError =>
  new TriggerdError('etcd-unreachable', `the publication of firing ${id} took too long, and the sweeper deleted it`);

/** One transaction per chunk: it asks whether all are members, and only if not, which. */
const findNeverSeen = async (keyspace: Keyspace, targets: readonly string[]): Promise<string[]> =>
  (await inWindows(chunksOf(targets, membersAtOnce), (chunk) => neverSeenOf(keyspace, chunk))).flat();

const neverSeenOf = async ({ store, keys }: Keyspace, targets: readonly string[]): Promise<string[]> => {
  const members = targets.map(keys.member);
  const compare = members.map((key) => ({ key, is: 'present' as const }));
  const { succeeded, read } = await store.commit({ compare, write: [], otherwiseGet: members });
  const seen = new Set(read.map((entry) => lastSegment(entry.key)));
  return succeeded ? [] : targets.filter((node) => !seen.has(node));
};
