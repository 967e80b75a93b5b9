import { defineDeadLetters } from './dead-letters.ts';

export const define = defineDeadLetters('purge', 'messages forgotten', {
  examples: ['trigger queue purge /alarms/disk', 'trigger queue purge --all'],
});
