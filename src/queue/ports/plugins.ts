import type { Deferral, Job, JobRequest, QueuedJob, ResultDetails } from '../../domain/job.ts';
import type { JobResult } from '../../domain/result.ts';
import type { LaunchPlan, PersistentCall, RunExit } from './runner.ts';

export type Conclusion =
  | { readonly kind: 'result'; readonly result: JobResult; readonly details: ResultDetails }
  | { readonly kind: 'deferred'; readonly deferral: Omit<Deferral, 'since'> };

/** What plugins know: how to start a job, what is in its way, and what its end means. */
export interface Plugins {
  /** Refuses (`plugin-*` errors) what could never run, before it enters a queue; returns the command as shown. */
  check(request: JobRequest): string;
  /** With what the configuration adds to it written down: the job does that, whatever the configuration says by then. */
  settled(request: JobRequest): JobRequest;
  /** Something in the way of this job right now, e.g. Puppet's agent lock; null: go. */
  obstacle(job: Job): Promise<Omit<Deferral, 'since'> | null>;
  prepare(job: Job): Promise<LaunchPlan>;
  /**
   * For a request to a persistent plugin: what `check` does, by what was found on the disk a moment ago. Undefined for
   * any other plugin.
   */
  checkCall(request: JobRequest): string | undefined;
  /** What a job asks of its persistent plugin; of those that `checkCall` knows. */
  call(job: Job): PersistentCall;
  conclude(job: Job, ending: RunExit): Promise<Conclusion>;
  /** Whether a job whose runner died with it (a reboot, say) is to be run again: its plugin's `on_restart`. */
  isRerunAfterLoss(job: Job): boolean;
}

/** What those for whom jobs are done say just before one starts. */
export interface JobGate {
  /** As `Plugins.obstacle`, for reasons that no plugin knows; asked first. */
  obstacle: Plugins['obstacle'];
  /** Why the job has lost its purpose; null: it has not. */
  reasonToSkip(job: QueuedJob): string | null;
}
