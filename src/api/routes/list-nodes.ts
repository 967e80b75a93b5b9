import type { Verb } from '../verb.ts';

export const listNodes: Verb = (app, { nodes }) => {
  app.get('/v1/nodes', async () => nodes());
};
