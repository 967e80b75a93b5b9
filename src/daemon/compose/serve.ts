import { protectControlSocket } from '../../adapters/files/control-socket.ts';
import { serveRoutes } from '../../adapters/http/serve-routes.ts';
import { controlRoutes } from '../../api/control-routes.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { apiServices } from '../control/api-services.ts';
import type { Runtime } from './runtime.ts';
import { serveHttp } from './serve-http.ts';

/** Opens the control socket, whose place is prepared, and the HTTP port. */
export const serve = async (
  runtime: Runtime,
  watcher: InboxWatcher,
  drain: SpoolDrain,
  releasers: Releasers,
): Promise<void> => {
  const { log } = runtime.options;
  const path = runtime.config.node.socket;
  const services = apiServices(runtime, watcher, drain);
  const app = serveRoutes(controlRoutes(services), (error) =>
    log.error({ error }, 'A request to the control API failed'),
  );
  releasers.push('control socket', () => app.close());
  await app.listen({ path });
  protectControlSocket(path);
  await serveHttp(runtime, services, releasers);
};
