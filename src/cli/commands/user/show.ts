import { defineShow } from '../../registry/define-show.ts';

export const define = defineShow(
  'user.list',
  { name: 'user', about: 'identity' },
  { examples: ['trigger user show', 'trigger user show hp --team team1'] },
);
