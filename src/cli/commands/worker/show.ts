import { defineShow } from '../../registry/define-show.ts';

export const define = defineShow(
  'worker.list',
  { name: 'worker', about: 'identity' },
  { examples: ['trigger worker show', 'trigger worker show demo01 --json'] },
);
