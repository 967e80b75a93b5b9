import { defineQueueVerb } from './queue-verb.ts';

export const define = defineQueueVerb('pause');
