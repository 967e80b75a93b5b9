import { Readable } from 'node:stream';
import { lengthOf, placeOfLastLines, readTail, tailFile } from '../adapters/files/tail-file.ts';
import type { OutputOptions, Outputs } from '../api/ports.ts';
import { hasEnded, type Job } from '../domain/job.ts';
import type { Queues } from '../queue/queues.ts';

/** What an outcome carries of a job's output. */
const tailBytes = 4096;

export const outputFile = (folder: string): string => `${folder}/output`;

/** The output of jobs, from their files. */
export const createOutputsService = (queues: Pick<Queues, 'waitFor'>): Outputs => ({
  open: async (job, options, signal) => {
    const path = outputFile(job.folder);
    const from = await firstByte(path, options);
    const ended = options.follow && !hasEnded(job) ? queues.waitFor(job.id, signal) : Promise.resolve();
    return { from, bytes: Readable.from(tailFile(path, { ended, signal, from })) };
  },
});

/** A file that is shorter than what the caller has already is another one: begun anew. */
const firstByte = async (path: string, { from, lines }: OutputOptions): Promise<number> => {
  if (from !== undefined) return from <= (await lengthOf(path)) ? from : 0;
  return lines === undefined ? 0 : placeOfLastLines(path, lines);
};

/** The end of an ended job's output; null when it printed nothing. */
export const readOutputTail = async (job: Job): Promise<string | null> => {
  const tail = await readTail(outputFile(job.folder), tailBytes);
  return tail === '' ? null : tail;
};
