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
import type { LiveRequest } from '../bus/live-requests.ts';
import type { ErrorCode, ErrorDetails } from '../domain/errors.ts';
import type { ChainLink } from '../domain/firing.ts';
import type { JobSource, JobState, TspFacts } from '../domain/job.ts';
import type { Stage } from '../domain/outcome.ts';
import type { ResultKind } from '../domain/result.ts';
import type { Event } from '../events/event.ts';
import type { Statement } from '../registry/statements.ts';

export interface RegistryBody {
  readonly statement: Statement;
}

export const outputFromHeader = 'x-output-from';

export interface ErrorView {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly details: ErrorDetails;
}

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

export interface QueueView {
  readonly name: string;
  readonly slots: number;
  readonly paused: boolean;
  readonly draining: boolean;
  readonly queued: number;
  readonly running: number;
  readonly deferred: number;
}

/** What became of what was written to a trigger file on this node. */
export interface TriggerFileView {
  /** Its path in the mount; null when the trigger is gone. */
  readonly path: string | null;
  readonly hits: number;
  readonly hit_at: string;
  readonly waiting: number;
  readonly dead: number;
  /** Why the last of the dead ones is dead. */
  readonly reason: string | null;
}

/** Of which trigger file; of all where it has none. */
export interface DeadLettersBody {
  readonly path?: string;
}

export interface DeadLettersView {
  readonly messages: number;
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

export interface NewFiringBody {
  readonly trigger: string;
  readonly hosts: readonly string[];
  readonly plugin?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly noop?: boolean;
  /** The firing expires when it is still owed after this time. */
  readonly ttl_ms?: number;
  /** From `TRIGGERD_CONTEXT`, when fired inside a run: the chain that this firing continues. */
  readonly chain?: readonly ChainLink[];
  /** With `chain`: hops still allowed to this firing; −1 is stopped by its targets. */
  readonly ttl?: number;
  /** Name of the user who asked; shown as the origin. */
  readonly user?: string;
}

export interface FiredView {
  readonly id: string;
  readonly targets: readonly string[];
  /** Targets that no daemon has ever announced itself as: misspelt, perhaps. */
  readonly unseen: readonly string[];
}

export interface SpooledView {
  readonly id: string;
  /** `stored`: on this node's disk; `owed`: in etcd. */
  readonly stage: 'stored' | 'owed';
}

export interface CancelBody {
  /** Only for these targets; else for all. */
  readonly hosts?: readonly string[];
  /** Also ends it where it runs. */
  readonly kill?: boolean;
  /** Name of the user who asked; the outcome's reason names it. */
  readonly user?: string;
}

export interface CancelledView {
  readonly id: string;
  /** An entry for every target that was asked about. */
  readonly nodes: Readonly<Record<string, CancelledNodeView>>;
}

export interface CancelledNodeView {
  /** `running`: left alone. `kill-asked`: the node will record how it ended. `ended`: had ended before. */
  readonly did: 'cancelled' | 'running' | 'kill-asked' | 'ended';
  readonly stage: Stage;
  readonly result: ResultKind | null;
  readonly reason: string | null;
}

/** A process that has a node's name, or asks for it. */
export interface HolderView {
  readonly instance: string;
  readonly host: string;
  readonly address: string | null;
  readonly pid: number;
  readonly boot: string;
  readonly version: string;
}

export interface NameView {
  /** `asking`: etcd has not answered yet. `waiting`: for the end of a lease, probably of the last process here. */
  readonly state: 'asking' | 'held' | 'waiting' | 'refused';
  /** Who has the name instead; null also where it is an earlier version, which says nothing of itself. */
  readonly holder: HolderView | null;
  /** Why it is not held, and what to do; null where it is. */
  readonly what: string | null;
  readonly remedy: string | null;
  /** Who else asks for it. */
  readonly refused: readonly HolderView[];
}

export interface AdoptedView {
  readonly node: string;
}

export interface ForgetBody {
  /** Also while the node is present. */
  readonly force?: boolean;
  readonly user?: string;
}

export interface ForgottenView {
  readonly node: string;
  /** How many firings were owed to it. */
  readonly ended: number;
}

export interface InitBody {
  readonly team: string;
  readonly identity: string;
  readonly secret: string;
}

/** From the report processor: a `puppet apply` that has ended. */
export interface RunBody {
  /** The command line of the process, and the folder it ran in. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly started_at: string;
  readonly status: string;
  readonly noop: boolean;
  /** Whether the transaction came to its end. */
  readonly completed: boolean;
  readonly transaction_uuid: string | null;
  /** `resources` of the run's summary: counts. */
  readonly resources: Readonly<Record<string, number>>;
}

export interface RunRecordedView {
  /** The queued jobs that this run has made unnecessary. */
  readonly satisfied: readonly number[];
}

export interface OutcomeView {
  readonly node: string;
  readonly stage: Stage;
  readonly result: ResultKind | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly job_id: number | null;
  readonly attempt: number;
  readonly reason: string | null;
  readonly queued_at: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly duration_ms: number | null;
  readonly clock_skew_ms: number | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly output_tail: string | null;
  /** Its bytes, where they are not UTF-8. */
  readonly output_tail_base64?: string;
}

export interface FiringView {
  readonly id: string;
  readonly trigger: string;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly targets: readonly string[];
  readonly job: { readonly plugin: string | null; readonly args: Readonly<Record<string, string>> };
  readonly noop: boolean;
  /** Puppet's tags that the runs are limited to. A daemon of an earlier version does not tell them. */
  readonly tags?: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
  /** An entry for every target. */
  readonly outcomes: Readonly<Record<string, OutcomeView>>;
}

export interface EventsView {
  /** The oldest first. */
  readonly events: readonly Event[];
  /** For `?after`: nothing of `events` comes again, and nothing is left out. */
  readonly cursor: string;
}

/** A causal graph: firings and runs, causes before their effects. Ids of runs are opaque. */
export interface WhyView {
  readonly kind: 'firing' | 'job' | 'node';
  /** The firing's id, the job's number, or the node's name. */
  readonly name: string;
  /** The firing or run below that was asked about; null: none, as with a job that was added by hand. */
  readonly focus: string | null;
  readonly firings: readonly WhyFiringView[];
  readonly runs: readonly WhyRunView[];
  /** Kind `job`: the job. */
  readonly job: JobView | null;
  /** Kind `node`: what the node has not ended yet; at most 20 are named. */
  readonly owed: { readonly total: number; readonly firings: readonly WhyOwedView[] } | null;
  /** What is missing, and why; one line each. */
  readonly notes: readonly string[];
}

export interface WhyFiringView {
  readonly id: string;
  readonly trigger: string;
  /** False: etcd has it no more; then only the chain of a later firing tells of it, and what follows is null. */
  readonly known: boolean;
  readonly origin: Readonly<Record<string, unknown>> | null;
  readonly noop: boolean | null;
  readonly created_at: string | null;
  readonly targets_total: number | null;
  /** How many targets ended how, or are where; null: only those on the way were looked at. */
  readonly tally: Readonly<Record<string, number>> | null;
  /** Id of the run that fired it; null: no run that a firing had started. */
  readonly caused_by: string | null;
  /** Report of the Puppet run that fired it, if PuppetDB has it. */
  readonly report: PuppetReportView | null;
}

/** What became of one or, coalesced, several firings on one node. */
export interface WhyRunView extends Omit<OutcomeView, 'output_tail' | 'output_tail_base64' | 'stage'> {
  readonly id: string;
  /** Null: etcd has the outcome no more; only the chain of a later firing tells of this run. */
  readonly stage: Stage | null;
  readonly firings: readonly string[];
  /** Counts also those that are not named. */
  readonly firings_total: number;
  readonly report: PuppetReportView | null;
}

export interface WhyOwedView {
  readonly firing: string;
  readonly trigger: string | null;
  readonly origin: Readonly<Record<string, unknown>> | null;
  readonly created_at: string | null;
  readonly stage: Stage;
  readonly reason: string | null;
}

/** A report in PuppetDB. */
export interface PuppetReportView {
  readonly hash: string;
  readonly certname: string;
  readonly transaction_uuid: string | null;
  readonly job_id: string | null;
  readonly status: string | null;
  readonly url: string;
}

export interface NodeView {
  readonly node: string;
  readonly present: boolean;
  readonly version: string | null;
  readonly roles: readonly string[];
  readonly started_at: string | null;
  readonly first_seen_at: string | null;
  /** The process that has the name, or had it within the last minutes; null: an earlier version. */
  readonly holder: HolderView | null;
  /** Other processes that ask for the name, and are refused. */
  readonly refused: readonly HolderView[];
  readonly queues: Readonly<Record<string, { readonly queued: number; readonly running: number }>>;
}

export interface BrokerView {
  readonly id: string;
  /** Where clients and workers reach it. */
  readonly endpoint: string;
  /** Its public key: `[main] broker_key`. */
  readonly key: string;
  readonly version: string;
  readonly started_at: string;
}

/** The broker that this daemon is. */
export interface OwnBrokerView {
  readonly id: string;
  readonly endpoint: string;
  readonly key: string;
  /** Where its socket listens. */
  readonly listen: string;
  /** Clients and workers that are connected. */
  readonly peers: number;
  readonly workers: number;
  /** Requests that are not over, and how many of them wait for a worker. */
  readonly requests: number;
  readonly queued: number;
}

/** Requests at this broker; other brokers have their own. */
export interface LiveRequestsView {
  readonly broker: string;
  /** Ids of the other brokers that are up. */
  readonly others: readonly string[];
  readonly requests: readonly LiveRequest[];
  /** How many there are besides. */
  readonly more: number;
}

/** One request, or all of a user. */
export interface CancelRequestsBody {
  readonly request?: string;
  readonly user?: string;
  /** Only what was asked in this team, or of its services. */
  readonly team?: string;
  /** Name of the user who asks for it; the requests' reason names it. */
  readonly by?: string;
}

export interface PluginView {
  readonly name: string;
  readonly summary: string;
  readonly mode: string;
  readonly path: string;
  readonly timeout_ms: number | null;
  readonly noop: boolean;
  readonly allowed: boolean;
  readonly args: Readonly<
    Record<
      string,
      {
        readonly summary: string;
        readonly required: boolean;
        readonly pattern: string | null;
        readonly default: string | null;
        /** A daemon of before knows of none of these. */
        readonly fixed?: string | null;
        readonly kind?: 'text' | 'integer';
        readonly min?: number | undefined;
        readonly max?: number | undefined;
      }
    >
  >;
  /** Null, or why this plugin can not be used. */
  readonly problem: string | null;
}

export interface PluginTestView {
  readonly name: string;
  readonly ok: boolean;
  readonly expected_exit_code: number;
  readonly exit_code: number | null;
  readonly output: string;
  /** Its bytes, where they are not UTF-8. */
  readonly output_base64?: string;
  readonly problem: string | null;
}

export interface HealthView {
  readonly node: string;
  readonly version: string;
  readonly pid: number;
  readonly started_at: string;
  readonly state_dir: string;
  readonly config_file: string | null;
  readonly etcd: {
    readonly connected: boolean;
    readonly endpoints: readonly string[];
    readonly last_error: string | null;
    readonly since: string;
  };
  /** Whether this process has the node's name; missing where it needs none, and in an earlier version. */
  readonly name?: NameView;
  readonly watching: boolean;
  /** Firings on this node's disk that etcd does not have yet. */
  readonly spool: { readonly waiting: number; readonly oldest_at: string | null };
  readonly queues: readonly QueueView[];
}
