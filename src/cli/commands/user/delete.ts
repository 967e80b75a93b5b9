import { defineChange } from '../../registry/define-change.ts';

export const define = defineChange(
  { name: 'user', about: 'identity' },
  { examples: ['trigger user delete hp'] },
  (team, identity) => ({ verb: 'user.delete', team, identity }),
);
