import type { Verb } from '../verb.ts';

export const listTriggerFiles: Verb = (app, { triggerFiles }) => {
  app.get('/v1/trigger-files', async () => triggerFiles.list());
};
