import type { LaunchPlan } from './launch-plan.ts';
import type { RunExit } from './run-exit.ts';

/**
 * Runs jobs so that they outlive the daemon. The daemon holds nothing of a running job: everything is in the job's
 * folder (`claim`, `output`, `output.idx`, `status.json`).
 */
export interface Runner {
  /**
   * Starts the plan; resolves when the job has ended (its process group or cgroup is empty, or the plan's `leftovers` says so). Never rejects for the job's
   * own failure: `never-started` and `lost` mean what they mean for `adopt`, when a runner dies under a living daemon.
   * Rejects (`state-unusable`, `internal`) when the system refuses what it needs; then `adopt` says whether it was started.
   */
  run(folder: string, plan: LaunchPlan): Promise<RunExit | 'never-started' | 'lost'>;
  /**
   * After a restart of the daemon, for a job that the journal calls running: waits for it if it runs, reads how it ended
   * if it has, and says `never-started` (making sure that it never will be) or `lost` (its runner died, e.g. by a reboot).
   */
  adopt(folder: string): Promise<RunExit | 'never-started' | 'lost'>;
  /** TERM to everything the job started, KILL after the plan's grace. Resolves when asked, not when over. */
  kill(folder: string): Promise<void>;
  /** Deletes the folder of a forgotten job. */
  discard(folder: string): Promise<void>;
  /** Lets idle runners end; running jobs continue without us. */
  close(): Promise<void>;
}
