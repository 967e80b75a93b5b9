import { defineShow } from '../../registry/define-show.ts';

export const define = defineShow(
  'service.list',
  { name: 'service', about: 'its name' },
  { examples: ['trigger service show', 'trigger service show demoservice'] },
);
