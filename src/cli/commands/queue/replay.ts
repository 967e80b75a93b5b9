import { defineDeadLetters } from './dead-letters.ts';

export const define = defineDeadLetters('replay', 'messages that wait again', {
  details: `
Dead letters are sent before messages written later, as new requests with a new [triggerfs] deadline. A message that was
lost while it ran may run a second time.`,
  examples: ['trigger queue replay /alarms/disk', 'trigger queue replay --all'],
});
