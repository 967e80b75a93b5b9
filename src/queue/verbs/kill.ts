import type { Job, JobId } from '../../domain/job.ts';
import type { KillReason } from '../in-memory/in-memory-jobs.ts';
import { jobWithId, type Room, wrongState } from '../room.ts';

/**
 * Asks a running job to end (TERM, then KILL). Returns the job as it is then: running still, or ended already. The first
 * reason that is given is kept.
 */
export const kill = async (room: Room, id: JobId, why?: KillReason): Promise<Job> => {
  const job = jobWithId(room, id);
  if (job.state === 'queued') throw wrongState(job, 'remove it instead.');
  if (job.state !== 'running') throw wrongState(job, 'only a running job can be killed.');
  if (room.inMemory?.kill(id, why) === true) return jobWithId(room, id);
  if (why !== undefined && !room.killReasons.has(id)) room.killReasons.set(id, why);
  const beingPrepared = room.preparing.get(id);
  // One whose folder cannot be read is given up at the next look; see run-job.ts.
  const beingAdopted = room.adopting.get(id);
  if (beingAdopted !== undefined) beingAdopted.isKilled = true;
  if (beingPrepared !== undefined) beingPrepared.isKilled = true;
  else await room.runner.kill(job.folder);
  return jobWithId(room, id);
};
