import type { Route } from './route.ts';
import { eventRoutes } from './routes/events.ts';
import { firingRoutes, runRoutes, spoolRoutes } from './routes/firings.ts';
import { brokerRoutes, nodeRoutes } from './routes/fleet.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { pluginRoutes } from './routes/plugins.ts';
import { queueRoutes, tspRoutes } from './routes/queues.ts';
import { registryRoutes } from './routes/registry.ts';
import { triggerFileRoutes } from './routes/trigger-files.ts';
import { whyRoutes } from './routes/why.ts';
import type { ApiServices } from './services/services.ts';

/**
 * The whole control API, as the control socket serves it. Its documents are in contract/: what travels over the socket, and
 * what `--json` prints, in snake case, with times in ISO 8601. Adding a field is fine; changing one is a note in CHANGELOG.md
 * and an ADR. Every refusal is `{ "error": ErrorView }` with the status from the error catalogue.
 *
 *     GET  /v1/health                         HealthView
 *     GET  /v1/queues                         QueueView[]
 *     POST /v1/queues/:name/pause|resume      QueueView
 *     POST /v1/queues/:name/clear             { cleared }          (name `*`: all queues)
 *     POST /v1/queues/:name/drain             QueueView            answers when drained; ?timeout_ms
 *     GET  /v1/queues/:name/slots             { slots }
 *     PUT  /v1/queues/:name/slots             { slots } → { slots }
 *     GET  /v1/queues/:name/tsp               TspView
 *     POST /v1/queues/:name/tsp/clear         TspView              ended ones are shown no more
 *     POST /v1/queues/:name/tsp/hide          { number } → TspView   an ended one is shown no more
 *     POST /v1/queues/:name/tsp/restart       { slots? } → TspView   queued ones are removed, numbers begin at 0
 *     GET  /v1/jobs                           JobView[]            commands cut: ?command (characters, default 4096); ?queue
 *                                                                  ended, running, queued, as they will start: ?ended (newest shown,
 *                                                                  default 100) &queued (next shown, default 1000), 1000 each at most
 *                                                                  ?limit (1 to 1000) &after &state: a page by id, beyond id `after`
 *     GET  /v1/jobs/latest                    JobView              ?queue &which=added|queued|started
 *     POST /v1/jobs                           NewJobBody → 201 JobView; 200: a job that was queued before
 *     GET  /v1/jobs/:id                       JobView
 *     GET  /v1/jobs/:id/wait                  JobView              answers when ended; ?timeout_ms → 504 timed-out
 *     GET  /v1/jobs/:id/output                bytes                ?follow=1: continues until the job has ended; ?lines: begins with so
 *                                                                  many of the last lines, ?from: with this byte (0 if the file has
 *                                                                  become shorter); the header x-output-from says where it begins;
 *                                                                  ?stream=err: of a job that keeps stderr apart
 *     POST /v1/jobs/:id/kill|remove|urgent|retry   JobView
 *     POST /v1/jobs/swap                      { a, b } → JobView[2]
 *     POST /v1/firings                        NewFiringBody → 201 FiredView
 *     GET  /v1/firings                        FiringView[]         newest first; ?limit
 *     GET  /v1/firings/:id                    FiringView
 *     GET  /v1/firings/:id/follow             NDJSON OutcomeView   every change, first the present state; ends when all targets are final
 *     POST /v1/spool                          a firing's document → 202 SpooledView   ?publish=1 → 201, answers when etcd has it
 *     POST /v1/firings/:id/cancel             CancelBody → CancelledView
 *     POST /v1/runs                           RunBody → { satisfied: job ids }   a Puppet run that triggerd did not start
 *     GET  /v1/events                         EventsView           ?fleet=1, ?limit (newest; 0 to 10000, default 100), ?since (ISO 8601),
 *                                                                  repeatable: ?node ?trigger ?stage ?kind (`job.finished`, or `job`)
 *     GET  /v1/events/follow                  NDJSON Event         what happens from now on, or after ?after (an event's id, or a cursor);
 *                                                                  filters as above. Too slow a reader gets `follow.dropped`, the last line
 *     GET  /metrics                           text                 in Prometheus' format; also on the HTTP port, as /v1/health is
 *     GET  /v1/why?what=TEXT                  WhyView              a firing’s id or how it begins, a job’s number, a node, a trigger
 *     GET  /v1/nodes                          NodeView[]
 *     POST /v1/nodes/:name/forget             ForgetBody → ForgottenView
 *     POST /v1/nodes/:name/adopt              → AdoptedView        the machine behind the name has changed on purpose
 *     GET  /v1/trigger-files                  TriggerFileView[]    of the triggers that were written to on this node
 *     POST /v1/trigger-files/replay           DeadLettersBody → DeadLettersView   dead letters are tried again
 *     POST /v1/trigger-files/purge            DeadLettersBody → DeadLettersView   they are forgotten
 *     GET  /v1/broker                         OwnBrokerView        broker-missing where this daemon is none
 *     GET  /v1/brokers                        BrokerView[]         that are up
 *     GET  /v1/requests                       LiveRequestsView     of this broker that are not over, the oldest first; ?team ?user ?service
 *                                                                  ?request ?limit (1 to 1000, default 1000)
 *     POST /v1/requests/cancel                CancelRequestsBody → LiveRequestsView   those that end now
 *     POST /v1/admin/init                     InitBody → 201 Answer of the registry: the first team
 *     GET  /v1/plugins                        PluginView[]
 *     GET  /v1/plugin?name=NAME               PluginView
 *     POST /v1/plugin/test?name=NAME          PluginTestView
 *     POST /v1/registry                       RegistryBody → Answer   a statement of `src/registry/statements.ts`, asked by `local`
 */
export const controlRoutes = (services: ApiServices): Route[] => [
  ...healthRoutes(services),
  ...queueRoutes(services),
  ...tspRoutes(services),
  ...jobRoutes(services),
  ...firingRoutes(services),
  ...spoolRoutes(services),
  ...runRoutes(services),
  ...eventRoutes(services),
  ...whyRoutes(services),
  ...nodeRoutes(services),
  ...brokerRoutes(services),
  ...triggerFileRoutes(services),
  ...pluginRoutes(services),
  ...registryRoutes(services),
];
