import { TriggerdError } from '../../domain/errors.ts';
import type { Job, JobId } from '../../domain/job.ts';
import { type Outcome, outcomeOfJob, skippedOutcome } from '../../domain/outcome.ts';
import { lastBytesOf, tailOf } from '../../kit/text-or-bytes.ts';
import type { LoggedFiring } from '../../queue/ports/journal.ts';
import { serializeOutcome } from '../wire/outcome.ts';

/** Clocks this far apart are worth a word. */
const tolerableSkewMs = 30_000;
const maxTailBytes = 4_096;
/** With its details larger than this, an outcome goes without them: etcd takes 1.5 MiB, and a status is no archive. */
const maxOutcomeBytes = 256 * 1024;

export interface OutcomeSources {
  readonly node: string;
  /** Throws `job-not-found`. */
  readonly getJob: (id: JobId) => Job;
  /** The end of what an ended job has printed; null when there is nothing. */
  readonly readTail: (job: Job) => Promise<Uint8Array | null>;
}

/** What this node has to say about a firing now, from its journal alone. */
export const outcomeOfFiring = async (logged: LoggedFiring, sources: OutcomeSources): Promise<Outcome> => {
  const outcome = logged.jobId === null ? refusalOf(logged, sources) : await jobsOutcome(logged, logged.jobId, sources);
  return bounded({ ...outcome, clockSkewMs: clockSkewOf(logged) });
};

const refusalOf = ({ firing, refusal, receivedAt }: LoggedFiring, { node }: OutcomeSources): Outcome =>
  skippedOutcome(firing.id, node, refusal ?? 'refused', receivedAt);

const jobsOutcome = async (logged: LoggedFiring, jobId: JobId, sources: OutcomeSources): Promise<Outcome> => {
  const { firing, receivedAt } = logged;
  try {
    const job = sources.getJob(jobId);
    const tail = job.state === 'finished' ? await sources.readTail(job) : null;
    return outcomeOfJob(job, firing.id, sources.node, tail && tailOf(lastBytesOf(tail, maxTailBytes)));
  } catch (error) {
    if (!(error instanceof TriggerdError) || error.code !== 'job-not-found') throw error;
    const reason = `job ${jobId} is no longer in this node’s history (last published stage: ${logged.published ?? 'none'})`;
    return skippedOutcome(firing.id, sources.node, reason, receivedAt);
  }
};

/** Only a time in the future proves something: a firing may be old because it has waited. */
const clockSkewOf = ({ firing, receivedAt }: LoggedFiring): number | null => {
  const aheadMs = Date.parse(firing.createdAt) - receivedAt;
  return aheadMs > tolerableSkewMs ? aheadMs : null;
};

const bounded = (outcome: Outcome): Outcome =>
  Buffer.byteLength(serializeOutcome(outcome)) <= maxOutcomeBytes ? outcome : { ...outcome, details: {} };
