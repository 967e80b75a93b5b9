import type { Job, JobId } from '../../domain/job.ts';
import { jobWithId, type QueueContext, wrongState } from '../context.ts';
import type { KillReason } from '../in-memory/in-memory-jobs.ts';

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
