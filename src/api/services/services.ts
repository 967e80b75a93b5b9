import type { Readable } from 'node:stream';
import type { WholeFiring } from '../../domain/firing.ts';
import type { Job, JobId } from '../../domain/job.ts';
import type { LiveRequests, RequestChoice, RequestFilter } from '../../domain/live-request.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { EventSource } from '../../events/ports.ts';
import type { Explanation } from '../../firings/why/explain.ts';
import type { Owed, PuppetReport } from '../../firings/why/look-up.ts';
import type { Plugin } from '../../plugin/manifest.ts';
import type { RegularRun } from '../../plugin/puppet/regular-run.ts';
import type { Queues } from '../../queue/queues.ts';
import type { Answer } from '../../registry/statements.ts';
import type { BrokerView, OwnBrokerView } from '../contract/brokers.ts';
import type { CancelledNodeView } from '../contract/firings.ts';
import type { HealthView } from '../contract/health.ts';
import type { NodeView } from '../contract/nodes.ts';
import type { PluginTestView } from '../contract/plugins.ts';
import type { TriggerFileView } from '../contract/trigger-files.ts';

/** What the control API serves: the rooms, behind narrow interfaces. */
export interface ApiServices {
  readonly queues: Queues;
  readonly plugins: PluginCatalogue;
  readonly firings: Firings;
  readonly spool: SpoolIntake;
  readonly outputs: Outputs;
  /** The first process of a job that runs or ran; null: it is not known. */
  pidOf(job: Job): number | null;
  readonly runs: RunIntake;
  readonly events: { readonly here: EventSource; readonly fleet: EventSource };
  readonly metrics: Metrics;
  readonly registry: RegistryService;
  readonly brokers: Brokers;
  nodes(): Promise<NodeView[]>;
  readonly triggerFiles: TriggerFileService;
  /** Throws `why-unknown`, `firing-ambiguous`, `firing-not-found`, `job-not-found`, and the store's errors. */
  why(what: string): Promise<Why>;
  /** Cancels the firings owed to a node; gives their number. Throws `node-present`, `node-not-found`. */
  forgetNode(node: string, asked: { readonly force: boolean; readonly by: string }): Promise<number>;
  /** The machine behind a name has changed on purpose. Throws `node-present`, `node-not-found`. */
  adoptNode(node: string): Promise<void>;
  health(): HealthView;
  /** Name of this node: the origin of what is fired here. */
  readonly node: string;
  newFiringId(): string;
  now(): number;
}

/** What was written to trigger files on this node. All throw `journal-failed`. */
export interface TriggerFileService {
  list(): readonly TriggerFileView[];
  /** Dead letters of one trigger, or of all, are tried again; how many. Throws `trigger-file-not-found`. */
  replay(path: string | undefined): number;
  /** They are forgotten. */
  purge(path: string | undefined): number;
}

/** Teams, users, workers, services, triggers: for whoever may use the control socket, who may do everything. */
export interface RegistryService {
  /** Checks it first: it may be anything. Throws `registry-*`, and the store's errors. */
  execute(actor: { readonly kind: 'local' }, statement: unknown): Promise<Answer>;
  /** The first team and its admin. Throws `registry-exists` when there is one. */
  initialise(first: { readonly team: string; readonly identity: string; readonly secret: string }): Promise<Answer>;
}

/** In Prometheus' text format. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface PluginCatalogue {
  names(): string[];
  find(name: string): Plugin;
  isAllowed(name: string): boolean;
  test(name: string): Promise<PluginTestView>;
}

/** An explanation, by what was asked about. */
export type Explained = { readonly name: string; readonly explanation: Explanation } & (
  | { readonly kind: 'firing' }
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'node'; readonly owed: Owed }
);

/** With the reports that PuppetDB has of its firings (the runs at their origins) and runs, by their ids. */
export type Why = Explained & { readonly reports: ReadonlyMap<string, PuppetReport> };

export interface Brokers {
  /** Null: this daemon is none. */
  own(): OwnBrokerView | null;
  /** Those that are up. Throws the store's errors. */
  list(): Promise<BrokerView[]>;
  /** What waits and runs at the own one; null: this daemon is none. */
  requests(): BrokerRequests | null;
}

/** `team`: only what was asked in it, or of its services; null: all. */
export interface BrokerRequests {
  readonly broker: string;
  others(): readonly string[];
  list(team: string | null, filter: RequestFilter): LiveRequests;
  /** Throws `request-not-found`. */
  cancel(team: string | null, choice: RequestChoice, by: string): LiveRequests;
}

export interface OutputOptions {
  /** Goes on until the job has ended. */
  readonly follow: boolean;
  /** Begins with so many of the last lines that are there; undefined: with the first byte. */
  readonly lines: number | undefined;
  /** Begins with this byte, whatever `lines` says. */
  readonly from: number | undefined;
  /** `err`: of a job that keeps stderr apart, else `input-invalid`. Undefined: `out`. */
  readonly stream?: 'out' | 'err' | undefined;
}

export interface Outputs {
  open(job: Job, options: OutputOptions, signal: AbortSignal): Promise<Output>;
}

export interface Output {
  /** Number of the first byte that comes. */
  readonly from: number;
  readonly bytes: Readable;
}

export interface Firings {
  /** Resolves once etcd has the firing; tells which targets have never been seen. */
  publish(firing: WholeFiring): Promise<{ readonly unseen: readonly string[] }>;
  recent(limit: number): Promise<FiringStatus[]>;
  /** Throws `firing-not-found`. */
  status(id: string): Promise<FiringStatus>;
  /** First the present outcome of every target, then every change; ends when all are final. */
  follow(id: string, signal: AbortSignal): AsyncIterable<Outcome>;
  /** Ends what is still owed. Throws `firing-not-found`, and `input-invalid` for a host that is no target. */
  cancel(id: string, asked: CancelRequest): Promise<Cancelled[]>;
}

interface CancelRequest {
  /** Undefined: all targets. */
  readonly hosts: readonly string[] | undefined;
  readonly kill: boolean;
  /** `user@node`. */
  readonly by: string;
}

export interface Cancelled {
  readonly node: string;
  readonly did: CancelledNodeView['did'];
  readonly outcome: Outcome | null;
}

/** Takes firings that somebody else has written, byte for byte. */
export interface SpoolIntake {
  /** On this node's disk when it resolves; gives the id. Throws `input-invalid`, `spool-unusable`. */
  store(document: string): Promise<string>;
  /** In etcd when it resolves. Throws the store's errors, too; then the firing stays on the disk and is published later. */
  publish(document: string): Promise<string>;
}

/** Takes notice of Puppet runs that triggerd did not start. */
interface RunIntake {
  /** Ids of the queued jobs that it has made unnecessary, which have ended by it. */
  record(run: RegularRun): JobId[];
}

export interface FiringStatus {
  readonly firing: WholeFiring;
  /** One for every target. */
  readonly outcomes: readonly Outcome[];
}
