import { defineJobVerb } from './job-verb.ts';

/** Prints the new job's id, as `add` does. */
export const define = defineJobVerb('retry', (job) => String(job.id));
