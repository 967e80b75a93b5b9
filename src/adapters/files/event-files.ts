import { appendFile, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import type { Event } from '../../events/event.ts';
import type { EventStore } from '../../events/ports.ts';
import { isMissing } from '../system/is-missing.ts';

/** Two files of this size at most. */
const maxBytes = 2 * 1024 * 1024;

/**
 * Events as JSON lines in `events.jsonl` of this folder; when that is full it becomes `events.1.jsonl`, and what was
 * there is gone. Nothing is synced: a power cut may cost the last seconds, and half a line is passed over.
 */
export const createEventFiles = (folder: string, fileBytes = maxBytes): EventStore => {
  const current = join(folder, 'events.jsonl');
  const older = join(folder, 'events.1.jsonl');
  return {
    append: async (events) => {
      try {
        if ((await sizeOf(current)) >= fileBytes) await rename(current, older);
        // A leading line end closes what a crash may have cut short.
        const lines = events.map((event) => `\n${JSON.stringify(event)}`).join('');
        await appendFile(current, lines, { mode: 0o600 });
      } catch (cause) {
        throw new TriggerdError('state-unusable', `${current}: ${(cause as Error).message}`, { cause });
      }
    },
    read: async () => (await Promise.all([older, current].map(readEvents))).flat(),
  };
};

const sizeOf = async (file: string): Promise<number> => {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
};

const readEvents = async (file: string): Promise<Event[]> => {
  try {
    return (await readFile(file, 'utf8')).split('\n').flatMap(parse);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw new TriggerdError('state-unusable', `${file}: ${(cause as Error).message}`, { cause });
  }
};

const parse = (line: string): [] | [Event] => {
  try {
    const value = JSON.parse(line) as Event;
    return /^\d{1,16}$/.test(value.id) ? [value] : [];
  } catch {
    return [];
  }
};
