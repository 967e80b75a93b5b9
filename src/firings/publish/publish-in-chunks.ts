import { chunksOf, inWindows } from '../../kit/in-windows.ts';
import type { Fence, Write } from '../../store/key-store.ts';
import { briefDocumentOf, serializeEarlyEntry, serializeInboxEntry } from '../wire/firing.ts';
import { assertOurs, committedKeys, entriesFor, isCommitted, type Publication } from './publication.ts';

const chunkSize = 100;

/**
 * *marked* → *listed*: the whole document, with its targets, in a key of its own → *entries written*, in any order →
 * *committed*: the firing without its list. Each step compares the marker's create revision: a sweeper that takes this
 * publication for abandoned deletes the marker and the list before anything else, and another publisher of the same
 * document may put a new one, under which what we have written so far may be gone. Every publisher that finds a marker
 * continues under it, and writes all entries itself.
 *
 * Whether the firing is committed, by us or by another one; false when the marker was lost, and nothing will run.
 */
export const publishInChunks = async (publication: Publication): Promise<boolean> => {
  const { keys, firing, value } = publication;
  const marked = await mark(publication);
  if (marked === undefined) return look(publication);
  const chunks = chunksOf(entriesFor(publication, serializeEarlyEntry(firing.id, firing.targets.length)), chunkSize);
  const written =
    (await list(publication, marked)) && (await inWindows(chunks, (chunk) => writeStep(publication, marked, chunk)));
  // What failed its compare may find the firing: then another publisher has committed it.
  if (!written || written.includes('lost')) return look(publication);
  const brief = { put: keys.firing(firing.id), value: briefDocumentOf(value, firing) };
  return (await writeStep(publication, marked, [brief, { delete: marked.key }])) !== 'lost';
};

/** The marker that all further steps compare; undefined when the firing is there already, or the marker gone again. */
const mark = async ({ store, keys, firing }: Publication): Promise<Fence | undefined> => {
  const key = keys.publishing(firing.id);
  const { succeeded } = await store.commit({
    compare: [{ key: keys.firing(firing.id), is: 'absent' }],
    write: [{ put: key, value: serializeInboxEntry(firing.id) }],
  });
  const marker = succeeded ? await store.get(key) : undefined;
  return marker && { key, createRevision: marker.createRevision };
};

/** Whether our list is there, from now or from before. It is deleted only with the marker. */
const list = async (publication: Publication, marked: Fence): Promise<boolean> => {
  const { store, keys, firing, value } = publication;
  const key = keys.targets(firing.id);
  const commit = await store.commit({
    compare: [marked, { key, is: 'absent' }],
    write: [{ put: key, value }],
    otherwiseGet: [key],
  });
  const [found] = commit.read;
  if (found !== undefined) assertOurs(publication, found);
  return commit.succeeded || found !== undefined;
};

const writeStep = async (
  publication: Publication,
  marked: Fence,
  write: readonly Write[],
): Promise<'written' | 'committed' | 'lost'> => {
  const commit = await publication.store.commit({
    compare: [marked],
    write,
    otherwiseGet: committedKeys(publication),
  });
  if (commit.succeeded) return 'written';
  return isCommitted(publication, commit.read) ? 'committed' : 'lost';
};

/** Both keys at one revision. */
const look = async (publication: Publication): Promise<boolean> => {
  const absent = { key: publication.keys.firing(publication.firing.id), is: 'absent' as const };
  const { read } = await publication.store.commit({
    compare: [absent],
    write: [],
    otherwiseGet: committedKeys(publication),
  });
  return isCommitted(publication, read);
};
