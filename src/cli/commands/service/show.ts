import { defineShow } from '../../registry/define-show.ts';

export const define = defineShow(
  'service.list',
  { name: 'service', about: 'name' },
  { examples: ['trigger service show', 'trigger service show demoservice'] },
);
