import { serveRoutes } from '../../adapters/http/serve-routes.ts';
import { healthRoutes } from '../../api/routes/health.ts';
import type { ApiServices } from '../../api/services/services.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { apiServices } from '../control/api-services.ts';
import { serveControl } from './local.ts';
import type { Runtime } from './runtime.ts';

/** Opens the control socket, whose place is prepared, and the HTTP port. */
export const serve = async (
  runtime: Runtime,
  watcher: InboxWatcher,
  drain: SpoolDrain,
  releasers: Releasers,
): Promise<void> => {
  const services = apiServices(runtime, watcher, drain);
  await serveControl(runtime, services, releasers);
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
