import type { Verb } from '../verb.ts';

export const health: Verb = (app, { health }) => {
  app.get('/v1/health', async () => health());
};
