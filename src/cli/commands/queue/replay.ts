import { defineDeadLetters } from './dead-letters.ts';

export const define = defineDeadLetters('replay', 'messages that wait again', {
  details: `
They go out before what was written later, as new requests, and have [triggerfs] deadline anew. One that was lost while it
ran may run a second time.`,
  examples: ['trigger queue replay /alarms/disk', 'trigger queue replay --all'],
});
