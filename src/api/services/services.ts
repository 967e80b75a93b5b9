import type { Job } from '../../domain/job.ts';
import type { EventSource } from '../../events/ports.ts';
import type { Plugin } from '../../plugin/manifest.ts';
import type { Queues } from '../../queue/queues.ts';
import type { Answer } from '../../registry/statements.ts';
import type { HealthView } from '../contract/health.ts';
import type { NodeView } from '../contract/nodes.ts';
import type { PluginTestView } from '../contract/plugins.ts';
import type { TriggerFileView } from '../contract/trigger-files.ts';
import type { Brokers } from './brokers.ts';
import type { Firings, RunIntake, SpoolIntake } from './firings.ts';
import type { Outputs } from './outputs.ts';
import type { Why } from './why.ts';

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
