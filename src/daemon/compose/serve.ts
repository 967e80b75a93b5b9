import { protectControlSocket } from '../../adapters/files/state-folder.ts';
import { serveRoutes } from '../../adapters/http/serve-routes.ts';
import { controlRoutes } from '../../api/control-routes.ts';
import { healthRoutes } from '../../api/routes/health.ts';
import type { ApiServices } from '../../api/services/services.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { apiServices } from '../control/api-services.ts';
import type { Runtime } from './runtime.ts';

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

/** Opens the HTTP port if the configuration has one. Throws `http-unusable`. */
const serveHttp = async (
  { options: { log }, config }: Runtime,
  services: ApiServices,
  releasers: Releasers,
): Promise<void> => {
  if (config.http === undefined) return;
  const { listen } = config.http;
  const app = serveRoutes(healthRoutes(services), (error) => log.error({ error }, 'A request to the HTTP port failed'));
  releasers.push('HTTP port', () => app.close());
  try {
    const address = await app.listen(placeOf(listen));
    log.info({ address }, 'Metrics are served over HTTP');
  } catch (cause) {
    throw new TriggerdError('http-unusable', `[http] listen = "${listen}": ${(cause as Error).message}`, { cause });
  }
};

/** `*` is every address, IPv6 hosts are in brackets. */
const placeOf = (listen: string): { readonly host: string; readonly port: number } => {
  const at = listen.lastIndexOf(':');
  const host = listen.slice(0, at).replace(/^\[|\]$/g, '');
  return { host: host === '*' ? '::' : host, port: Number(listen.slice(at + 1)) };
};
