import { defineShow } from '../../registry/define-show.ts';

export const define = defineShow(
  'definition.list',
  { name: 'definition', about: 'its path, or its name' },
  { examples: ['trigger definition show', 'trigger definition show /alarms/disk'] },
);
