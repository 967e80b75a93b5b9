import type { Verb } from '../verb.ts';
import { pluginView } from '../views/plugins.ts';

export const listPlugins: Verb = (app, { plugins }) => {
  app.get('/v1/plugins', async () => plugins.names().map((name) => pluginView(plugins, name)));
};
