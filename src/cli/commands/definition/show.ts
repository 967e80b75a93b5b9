import { defineShow } from '../../registry/define-show.ts';

export const define = defineShow(
  'definition.list',
  { name: 'definition', about: 'path or name' },
  { examples: ['trigger definition show', 'trigger definition show /alarms/disk'] },
);
