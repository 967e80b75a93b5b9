import type { FinishedJob, Job, JobId, SkippedJob } from '../../domain/job.ts';
import { jobWithId, type QueueContext, queueNamed, wrongState } from '../context.ts';
import { followerOf } from '../follower.ts';
import type { KillReason } from '../in-memory/in-memory-jobs.ts';
import type { JobEnd } from '../transitions.ts';

/**
 * Asks a running job to end (TERM, then KILL). Returns the job as it is then: running still, or ended already. The first
 * reason that is given is kept.
 */
export const kill = async (context: QueueContext, id: JobId, why?: KillReason): Promise<Job> => {
  const job = jobWithId(context, id);
  if (job.state === 'queued') throw wrongState(job, 'remove it instead.');
  if (job.state !== 'running') throw wrongState(job, 'only a running job can be killed.');
  if (context.inMemory?.kill(id, why) === true) return jobWithId(context, id);
  if (why !== undefined && !context.killReasons.has(id)) context.killReasons.set(id, why);
  const beingPrepared = context.preparing.get(id);
  // One whose folder cannot be read is given up at the next look; see run-job.ts.
  const beingAdopted = context.adopting.get(id);
  if (beingAdopted !== undefined) beingAdopted.isKilled = true;
  if (beingPrepared !== undefined) beingPrepared.isKilled = true;
  else await context.runner.kill(job.folder);
  return jobWithId(context, id);
};

/** Takes a queued job out of its queue; it ends as skipped, and jobs that wait for it may start. */
export const remove = (context: QueueContext, id: JobId): SkippedJob => {
  const job = jobWithId(context, id);
  if (job.state === 'running') throw wrongState(job, 'kill it instead.');
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be removed.');
  return context.transitions.skip(id, 'removed');
};

/** Ends a queued job that has lost its purpose; jobs that wait for it may start. */
export const skip = (context: QueueContext, id: JobId, reason: string): SkippedJob => {
  const job = jobWithId(context, id);
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be skipped.');
  return context.transitions.skip(id, reason);
};

/** Ends a queued job by the run of somebody else; jobs that wait for it may start. */
export const satisfy = (context: QueueContext, id: JobId, ending: JobEnd): FinishedJob => {
  const job = jobWithId(context, id);
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be satisfied by another run.');
  return context.transitions.satisfy(id, ending, followerOf(context, job, ending));
};

const batchSize = 1000;

/** Forgets ended jobs, but for those whose outcome etcd does not have yet; returns how many are gone. */
export const clear = (context: QueueContext, queue?: string): number => {
  const which = queue === undefined ? {} : { queue: queueNamed(context, queue).name };
  let cleared = 0;
  for (;;) {
    const ids = context.journal.retirable({ keep: 0, endedBefore: Infinity, limit: batchSize, ...which });
    cleared += context.journal.forgetJobs(ids).length;
    if (ids.length < batchSize) return cleared;
  }
};
