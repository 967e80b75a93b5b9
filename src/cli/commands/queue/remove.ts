import { defineJobVerb } from './job-verb.ts';

export const define = defineJobVerb('remove');
