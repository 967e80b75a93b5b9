import { defineChange } from '../../registry/define-change.ts';

export const define = defineChange(
  { name: 'worker', about: 'identity' },
  {
    details: 'A worker that is attached to a service is detached first, with `trigger service detach`.',
    examples: ['trigger worker delete demo01'],
  },
  (team, identity) => ({ verb: 'worker.delete', team, identity }),
);
