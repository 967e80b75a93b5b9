/**
 * Events: what happens, one small document each; the same on disk, on the control socket and in `--json`, so the names
 * are the document's own. The vocabulary is a promise: `docs/reference/events.md` has it in words.
 */
import type { FiringId } from '../domain/firing.ts';
import type { JobId, JobSource } from '../domain/job.ts';
import type { Stage } from '../domain/outcome.ts';
import type { ResultKind } from '../domain/result.ts';
import type { Holder, MachineName } from '../fleet/names/holder.ts';

export interface Event extends Readonly<Record<string, unknown>> {
  /** Grows; names the position to continue from. */
  readonly id: string;
  /** ISO 8601: when it happened, by the clock of the node that it is about. */
  readonly at: string;
  readonly kind: EventKind;
  /** The node that it is about. */
  readonly node: string;
}

const verbsByNoun = {
  firing: ['published', 'spooled', 'accepted', 'refused'],
  outcome: ['queued', 'running', 'deferred', 'finished', 'skipped'],
  job: ['queued', 'started', 'deferred', 'requeued', 'finished', 'skipped'],
  queue: ['paused', 'resumed'],
  etcd: ['lost', 'back'],
  node: ['present', 'away', 'refused', 'taken-over'],
  sweeper: ['elected'],
  config: ['reloaded'],
  daemon: ['started', 'stopping'],
  request: ['received', 'finished'],
  worker: ['online', 'offline'],
  follow: ['gap', 'dropped'],
} as const;
type Noun = keyof typeof verbsByNoun;
export type EventKind = { [Of in Noun]: `${Of}.${(typeof verbsByNoun)[Of][number]}` }[Noun];

/** All kinds, such as `job.finished`. */
export const eventKinds = Object.entries(verbsByNoun).flatMap(([noun, verbs]) =>
  verbs.map((verb) => `${noun}.${verb}` as EventKind),
);

/** An event that has no id yet. */
export type NewEvent = Facts & { readonly at: number; readonly node: string };

/** What each kind carries besides. */
export type Facts =
  | (FiringFacts & { readonly kind: 'firing.published'; readonly stage: 'owed'; readonly targets: number })
  | (FiringFacts & { readonly kind: 'firing.spooled' })
  | (FiringFacts & {
      readonly kind: 'firing.accepted';
      readonly stage: 'queued';
      readonly origin: string;
      readonly job: JobId;
      /** It joined a job that was queued already. */
      readonly coalesced: boolean;
    })
  | (FiringFacts & {
      readonly kind: 'firing.refused';
      readonly stage: 'skipped';
      readonly origin: string;
      readonly reason: string;
    })
  | OutcomeFacts
  | JobEventFacts
  | { readonly kind: 'queue.paused' | 'queue.resumed'; readonly queue: string }
  | { readonly kind: 'etcd.lost'; readonly reason: string }
  | { readonly kind: 'etcd.back' }
  | { readonly kind: 'node.present'; readonly version: string }
  | { readonly kind: 'node.away' }
  /** Two daemons ask for one name; holder null: an earlier version, which records nothing. */
  | { readonly kind: 'node.refused'; readonly refused: HolderFacts; readonly holder: HolderFacts | null }
  | { readonly kind: 'node.taken-over'; readonly holder: HolderFacts; readonly from: MachineName }
  | { readonly kind: 'sweeper.elected' }
  | { readonly kind: 'config.reloaded'; readonly sections: readonly string[] }
  | { readonly kind: 'daemon.started' | 'daemon.stopping'; readonly version: string }
  | { readonly kind: 'request.received'; readonly request: string; readonly user: string; readonly service: string }
  | RequestFinishedFacts
  | WorkerFacts
  | { readonly kind: 'follow.gap' | 'follow.dropped'; readonly reason: string };

/** A process that has a name, or asks for it. */
export type HolderFacts = Pick<Holder, 'instance' | 'host' | 'address' | 'pid' | 'machine' | 'boot' | 'version'>;

/** Told by the broker. `user` is `identity@team`, `service` is `team/name`. */
export interface RequestFinishedFacts {
  readonly kind: 'request.finished';
  readonly request: string;
  readonly user: string;
  readonly service: string;
  /** The first ten of them. */
  readonly workers: readonly string[];
  readonly result: string;
  readonly exit_code: number | null;
  readonly reason: string | null;
  readonly duration_ms: number;
}

/** Told by each broker that it connects to. `host` is the node that the worker runs on. */
export type WorkerFacts = { readonly team: string; readonly worker: string; readonly host: string } & (
  | { readonly kind: 'worker.online' }
  | { readonly kind: 'worker.offline'; readonly reason: string }
);

export interface FiringFacts {
  readonly firing: FiringId;
  readonly trigger: string;
}

/** What a target can say: before its first word a firing is owed. */
export type ReportedStage = Exclude<Stage, 'owed'>;

export interface OutcomeFacts {
  readonly kind: `outcome.${ReportedStage}`;
  readonly firing: FiringId;
  /** Null where the firing is gone. */
  readonly trigger: string | null;
  readonly stage: ReportedStage;
  readonly job: JobId | null;
  readonly result: ResultKind | null;
  readonly exit_code: number | null;
  readonly reason: string | null;
  readonly duration_ms: number | null;
}

export type JobEventFacts = JobFacts &
  (
    | { readonly kind: 'job.queued' | 'job.requeued'; readonly stage: 'queued' }
    | { readonly kind: 'job.started'; readonly stage: 'running'; readonly attempt: number }
    | { readonly kind: 'job.deferred'; readonly stage: 'deferred'; readonly reason: string }
    | { readonly kind: 'job.skipped'; readonly stage: 'skipped'; readonly reason: string }
    | {
        readonly kind: 'job.finished';
        readonly stage: 'finished';
        readonly result: ResultKind;
        readonly exit_code: number | null;
        readonly reason: string | null;
        readonly duration_ms: number | null;
      }
  );

export interface JobFacts {
  readonly job: JobId;
  readonly queue: string;
  readonly plugin: string;
  readonly source: JobSource;
  readonly label: string | null;
  /** At most 200 characters. */
  readonly command: string;
  /** The first ten of them. */
  readonly firings: readonly FiringId[];
  readonly firings_total: number;
  /** The triggers of those. */
  readonly triggers: readonly string[];
}

export const eventOf = (id: string, { kind, at, node, ...facts }: NewEvent): Event => ({
  id,
  at: new Date(at).toISOString(),
  kind,
  node,
  ...facts,
});

const maxReason = 500;
/** Reasons may be long; an event is small. */
export const cutReason = (reason: string): string =>
  reason.length > maxReason ? `${reason.slice(0, maxReason - 1)}…` : reason;

/** A reader who follows may be behind by so many events. */
export const maxBehind = 10_000;
export const tooSlow = (limit: number): string =>
  `the reader is too slow: more than ${limit.toLocaleString('en')} events were waiting`;
/** What the log says then. */
export const readerDropped = 'A reader of events was too slow; its last line says so';
