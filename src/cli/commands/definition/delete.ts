import { defineChange } from '../../registry/define-change.ts';

export const define = defineChange(
  { name: 'definition', about: 'path or name' },
  { examples: ['trigger definition delete /alarms/disk'] },
  (team, name) => ({ verb: 'definition.delete', team, name }),
);
