import { chunksOf, inWindows } from './in-windows.ts';
import type { Compare, Write } from './ports.ts';
import { entriesFor, isOurs, type Publication } from './publication.ts';
import { serializeInboxEntry } from './wire.ts';

const chunkSize = 100;

/**
 * *marked* → *entries written*, in any order → *committed*. Each step compares the marker's create revision: a sweeper
 * that takes this publication for abandoned deletes the marker before anything else, and another publisher of the same
 * document may put a new one, under which what we have written so far may be gone. Every publisher that finds a marker
 * goes on under it, and writes all entries itself.
 *
 * Whether the firing is committed, by us or by another one; false when the marker was lost, and nothing will run.
 */
export const publishInChunks = async (publication: Publication): Promise<boolean> => {
  const { keys, firing, value } = publication;
  const marker = keys.publishing(firing.id);
  const marked = await mark(publication);
  if (marked === undefined) return isCommitted(publication);
  const chunks = chunksOf(entriesFor(publication, firing.targets), chunkSize);
  const written = await inWindows(chunks, (chunk) => writeStep(publication, marked, chunk));
  // What failed its compare may find the firing: then another publisher has committed it.
  if (written.includes('lost')) return isCommitted(publication);
  const end = await writeStep(publication, marked, [{ put: keys.firing(firing.id), value }, { delete: marker }]);
  return end !== 'lost';
};

/** The marker that all further steps compare; undefined when the firing is there already, or the marker gone again. */
const mark = async ({ store, keys, firing }: Publication): Promise<Compare | undefined> => {
  const key = keys.publishing(firing.id);
  const { succeeded } = await store.commit({
    compare: [{ key: keys.firing(firing.id), is: 'absent' }],
    write: [{ put: key, value: serializeInboxEntry(firing.id) }],
  });
  const marker = succeeded ? await store.get(key) : undefined;
  return marker && { key, createRevision: marker.createRevision };
};

const writeStep = async (
  publication: Publication,
  marked: Compare,
  write: readonly Write[],
): Promise<'written' | 'committed' | 'lost'> => {
  const key = publication.keys.firing(publication.firing.id);
  const commit = await publication.store.commit({ compare: [marked], write, otherwiseGet: [key] });
  if (commit.succeeded) return 'written';
  return isOurs(publication, commit.read[0]) ? 'committed' : 'lost';
};

const isCommitted = async (publication: Publication): Promise<boolean> =>
  isOurs(publication, await publication.store.get(publication.keys.firing(publication.firing.id)));
