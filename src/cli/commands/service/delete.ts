import { defineChange } from '../../registry/define-change.ts';

export const define = defineChange(
  { name: 'service', about: 'name' },
  { details: 'A service that a definition uses can’t be deleted.', examples: ['trigger service delete demoservice'] },
  (team, name) => ({ verb: 'service.delete', team, name }),
);
