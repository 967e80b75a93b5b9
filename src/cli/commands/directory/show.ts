import { defineShow } from '../../registry/define-show.ts';

export const define = defineShow(
  'directory.list',
  { name: 'directory', about: 'path' },
  { examples: ['trigger directory show'] },
);
