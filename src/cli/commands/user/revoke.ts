import { defineChange } from '../../registry/define-change.ts';

export const define = defineChange(
  { name: 'user', about: 'identity' },
  {
    details:
      'All tokens of the user are void at once. The password stays as it is; `trigger user set --disable` keeps the user out.',
    examples: ['trigger user revoke hp'],
  },
  (team, identity) => ({ verb: 'user.revoke', team, identity }),
);
