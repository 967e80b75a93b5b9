import { Readable } from 'node:stream';
import { readTail, tailFile } from '../adapters/files/tail-file.ts';
import type { Outputs } from '../api/ports.ts';
import { hasEnded, type Job } from '../domain/job.ts';
import type { Queues } from '../queue/queues.ts';

/** What an outcome carries of a job's output. */
const tailBytes = 4096;

export const outputFile = (folder: string): string => `${folder}/output`;

/** The output of jobs, from their files. */
export const createOutputsService = (queues: Pick<Queues, 'waitFor'>): Outputs => ({
  open: (job, { follow, lines }, signal) => {
    const ended = follow && !hasEnded(job) ? queues.waitFor(job.id, signal) : Promise.resolve();
    return Readable.from(tailFile(outputFile(job.folder), { ended, signal, lines }));
  },
});

/** The end of an ended job's output; null when it printed nothing. */
export const readOutputTail = async (job: Job): Promise<string | null> => {
  const tail = await readTail(outputFile(job.folder), tailBytes);
  return tail === '' ? null : tail;
};
