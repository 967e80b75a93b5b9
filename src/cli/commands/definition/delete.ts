import { defineChange } from '../../registry/define-change.ts';

export const define = defineChange(
  { name: 'definition', about: 'its path, or its name' },
  { examples: ['trigger definition delete /alarms/disk'] },
  (team, name) => ({ verb: 'definition.delete', team, name }),
);
