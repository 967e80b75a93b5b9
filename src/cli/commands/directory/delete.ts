import { defineChange } from '../../registry/define-change.ts';

export const define = defineChange(
  { name: 'directory', about: 'path' },
  { details: 'Only an empty one.', examples: ['trigger directory delete /alarms'] },
  (team, path) => ({ verb: 'directory.delete', team, path }),
);
