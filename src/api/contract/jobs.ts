/**
 * The control API's documents: what travels over the socket, and what `--json` prints. Snake case, times in ISO 8601.
 * Adding a field is fine; changing one is a note in CHANGELOG.md and an ADR.
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
 *     GET  /v1/jobs/:id/output                bytes                ?follow=1: goes on until the job has ended; ?lines: begins with so
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
 *
 * Every refusal is `{ "error": ErrorView }` with the status from the error catalogue.
 */
import type { JobSource, JobState, TspFacts } from '../../domain/job.ts';
import type { ResultKind } from '../../domain/result.ts';

export const outputFromHeader = 'x-output-from';

export interface JobView {
  readonly id: number;
  readonly queue: string;
  readonly state: JobState;
  readonly result: ResultKind | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  /** Why it is deferred, was skipped, failed to start or was interrupted. */
  readonly reason: string | null;
  readonly deferred: boolean;
  readonly label: string | null;
  readonly plugin: string;
  readonly command: string;
  /** Path of the output file on the daemon's machine. */
  /** Null: in no file of its own, as with requests to persistent plugins; `trigger queue cat` shows it. */
  readonly output: string | null;
  /** Path of the file that holds stderr; null: it is in the output. A daemon of before knows nothing of it. */
  readonly stderr?: string | null;
  /** Slots that it takes. */
  readonly slots?: number;
  /** Program that is told of its end. */
  readonly on_finish?: string | null;
  /** The job whose end this one tells of. */
  readonly tells_of?: number | null;
  /** Of a job that `trigger tsp` has added. */
  readonly tsp?: TspFacts | null;
  /** Process that leads the job, where it runs as one; only of a single job. */
  readonly pid?: number | null;
  readonly firings: readonly string[];
  readonly source: JobSource;
  /** Who added it by hand; null where nobody did, or it is not known. */
  readonly user: string | null;
  readonly noop: boolean;
  readonly attempt: number;
  readonly after: number | null;
  /** Jobs that must succeed first. A daemon of before knows nothing of this and of the next two. */
  readonly if_ok?: readonly number[];
  /** It starts no sooner; null: no such time. */
  readonly not_before?: string | null;
  readonly key?: string | null;
  readonly timeout_ms: number | null;
  readonly enqueued_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** Seconds; null until finished. */
  readonly times: { readonly real: number; readonly user: number; readonly system: number } | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** What `wait`, `cat` and `tail` exit with; null until ended. */
  readonly wait_exit_code: number | null;
}

/** A queue as `trigger tsp` sees it: its own jobs; running and queued ones, then those that have ended. */
export interface TspView {
  readonly slots: number;
  /** Slots that are taken. */
  readonly busy: number;
  readonly jobs: readonly JobView[];
}

export interface NewJobBody {
  readonly queue?: string;
  readonly plugin?: string;
  readonly argv?: readonly string[];
  readonly args?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly payload?: string;
  readonly label?: string;
  readonly timeout_ms?: number;
  readonly after?: number;
  /** It starts only after all of these have succeeded, and is skipped as soon as one has not. */
  readonly if_ok?: readonly number[];
  readonly delay_ms?: number;
  readonly stderr_apart?: boolean;
  /** The output file is compressed as by gzip. */
  readonly gzip?: boolean;
  /** For `trigger tsp`; `needs` is the number of a job, and makes `if_ok` of it. */
  readonly tsp?: Pick<TspFacts, 'command' | 'stored' | 'kept'> & { readonly needs?: number | 'previous' };
  /** Slots that the job takes; default 1. */
  readonly slots?: number;
  /** Program that is told of the job's end: a job at the head of the same queue with id, exit code, output file and command. */
  readonly on_finish?: string;
  /** A queued job of this queue with the same key makes way for this one (`replace`, the default), or is kept instead. */
  readonly key?: string;
  readonly on_key?: 'replace' | 'keep';
  /** Not added when a queued job of this queue would do the same. */
  readonly unless_queued?: boolean;
  readonly urgent?: boolean;
  readonly noop?: boolean;
  /** Name of the user who adds it. */
  readonly user?: string;
}
