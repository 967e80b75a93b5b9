import type { Verb } from '../verb.ts';

export const listBrokers: Verb = (app, { brokers }) => {
  app.get('/v1/brokers', async () => brokers.list());
};
