/** From `running` to whatever comes next: the part of a job's life in which it holds a slot. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TriggerdError } from '../domain/errors.ts';
import type { JobTimes, RunningJob } from '../domain/job.ts';
import type { JobResult } from '../domain/result.ts';
import type { QueueContext } from './context.ts';
import { followerOf } from './follower.ts';
import type { KillReason } from './in-memory/in-memory-jobs.ts';
import type { Conclusion } from './ports/plugins.ts';
import type { LaunchPlan, RunExit } from './ports/runner.ts';
import type { JobEnd } from './transitions.ts';

type Outcome = RunExit | JobResult | 'never-started' | 'lost';

const noTimes: JobTimes = { realS: 0, userS: 0, systemS: 0 };
/** Between two attempts to journal how a job ended. */
const retryMs = 1000;

/**
 * Runs a job that the journal has just started; returns when its end is journalled (or when we are stopped). Throws when
 * it could not be started for a reason that is not its own: then it is queued again, at its old place.
 */
export const runJob = async (context: QueueContext, job: RunningJob): Promise<void> => {
  const { outcome, trouble } = await attempt(context, job);
  if (outcome === undefined) return;
  await settle(context, job, outcome);
  if (outcome !== 'never-started') return;
  throw trouble ?? new TriggerdError('internal', `no runner started job ${job.id}`, { details: { job: job.id } });
};

/** A request is somebody's who waits, and who has its id: it ends here, and is never run behind their back. */
const isRequest = ({ request }: RunningJob): boolean => request.source === 'request';

/** Ends a job that cannot be started. */
export const endUnstarted = (context: QueueContext, job: RunningJob, result: JobResult): Promise<void> =>
  settle(context, job, result);

/** Waits for the end of a job that an earlier daemon started. */
export const adoptJob = async (context: QueueContext, job: RunningJob): Promise<void> => {
  const outcome = await (isRequest(job) ? endOfRequest(context, job) : adopted(context, job));
  if (outcome === undefined) return;
  context.log.info({ job: job.id, outcome: typeof outcome === 'string' ? outcome : 'ended' }, 'Adopted a job');
  await settle(context, job, outcome);
};

/** Requests end with their worker: what is left of one is killed, and one that has ended meanwhile has its own result. */
const endOfRequest = async (context: QueueContext, job: RunningJob): Promise<Outcome | undefined> => {
  const reason = 'The daemon restarted while the request ran.';
  context.killReasons.set(job.id, { kind: 'interrupted', reason });
  const outcome = adopted(context, job);
  try {
    await context.runner.kill(job.folder);
  } catch (thrown) {
    context.log.debug({ error: thrown, job: job.id }, 'A request to kill had no process left');
  }
  return (await outcome) === 'never-started' ? { kind: 'interrupted', reason } : outcome;
};

/**
 * What became of a job that is running for the journal, from its folder. One whose folder cannot be read may be running:
 * it keeps its slot, and is looked at until it can be, or until somebody kills it. Undefined when we are stopped.
 */
const adopted = async (context: QueueContext, job: RunningJob): Promise<Outcome | undefined> => {
  const mark = { isKilled: false };
  context.adopting.set(job.id, mark);
  try {
    for (let attempts = 1; context.phase !== 'stopped'; attempts += 1) {
      try {
        return await context.runner.adopt(job.folder);
      } catch (thrown) {
        const reason = `Cannot read the folder of the job: ${messageOf(thrown)}`;
        if (mark.isKilled) return { kind: 'interrupted', reason };
        if (attempts === 1) context.log.error({ error: thrown, job: job.id }, 'Cannot examine a running job; retrying');
        await sleep(retryMs, undefined, { ref: false });
      }
    }
    return undefined;
  } finally {
    context.adopting.delete(job.id);
  }
};

interface Attempt {
  /** Undefined when we were stopped before the job was handed to a runner: the next daemon will see that it never began. */
  readonly outcome: Outcome | undefined;
  /** Why it was `never-started`, if that is known. */
  readonly trouble?: unknown;
}

const attempt = async (context: QueueContext, job: RunningJob): Promise<Attempt> => {
  const plan = await planned(context, job);
  if (context.phase === 'stopped') return { outcome: undefined };
  if ('outcome' in plan) return plan;
  try {
    return { outcome: await context.runner.run(job.folder, plan) };
  } catch (trouble) {
    // Whether it was started all the same is to be seen in its folder; a plan that is still there is made void.
    return { outcome: await adopted(context, job), trouble };
  }
};

/** The plan, or what there is instead. */
const planned = async (context: QueueContext, job: RunningJob): Promise<LaunchPlan | Attempt> => {
  try {
    const plan = await prepare(context, job);
    return 'kind' in plan ? { outcome: plan } : plan;
  } catch (thrown) {
    if (thrown instanceof TriggerdError && thrown.retryable) return { outcome: 'never-started', trouble: thrown };
    return { outcome: { kind: 'failed-to-start', reason: messageOf(thrown) } };
  }
};

const prepare = async (context: QueueContext, job: RunningJob): Promise<LaunchPlan | JobResult> => {
  const mark = { isKilled: false };
  context.preparing.set(job.id, mark);
  try {
    const obstacle = isRequest(job) ? await context.plugins.obstacle(job) : null;
    if (obstacle !== null) return { kind: 'failed-to-start', reason: obstacle.reason };
    const plan = await context.plugins.prepare(job);
    return mark.isKilled ? { kind: 'killed', signal: 'SIGTERM' } : plan;
  } finally {
    // `run` writes the plan before it gives way: from here on a kill finds the folder.
    context.preparing.delete(job.id);
  }
};

const settle = async (context: QueueContext, job: RunningJob, outcome: Outcome): Promise<void> => {
  if (outcome === 'never-started') {
    if (isRequest(job))
      return finish(context, job, { kind: 'failed-to-start', reason: 'Cannot start a runner for the request.' });
    return journalled(context, () => context.transitions.unstart(job.id));
  }
  if (outcome === 'lost') return interrupted(context, job);
  if ('kind' in outcome) return finish(context, job, outcome);
  const verdict = await judge(context, job, outcome);
  if (verdict.kind === 'deferred' && !isRequest(job))
    return journalled(context, () => context.deferrals.defer(job, verdict.deferral));
  const startedAt = outcome.exit.kind === 'not-started' ? null : outcome.startedAt;
  const { finishedAt, times } = outcome;
  const { result, details } = verdict.kind === 'deferred' ? didNotRun(verdict.deferral) : verdict;
  return ended(context, job, { startedAt, finishedAt, times, result, details });
};

/** Of a request, which nothing defers. */
const didNotRun = ({ reason }: { readonly reason: string }): Pick<JobEnd, 'result' | 'details'> => ({
  result: { kind: 'failed', exitCode: 1, reason },
  details: {},
});

const ended = (context: QueueContext, job: RunningJob, end: JobEnd): Promise<void> => {
  const why = context.killReasons.get(job.id);
  context.killReasons.delete(job.id);
  const explainedEnd = { ...end, result: explained(end.result, why) };
  const follower = followerOf(context, job, explainedEnd);
  return journalled(context, () => context.transitions.finish(job.id, explainedEnd, follower));
};

/** Whoever had it killed knows best what that means. */
const explained = (result: JobResult, why: KillReason | undefined): JobResult => {
  if (result.kind !== 'killed' || why === undefined) return result;
  return why.kind === 'killed' ? { ...result, reason: why.reason } : { kind: 'interrupted', reason: why.reason };
};

/** Nobody saw it end. It is run again if its plugin can stand that, unless it seems to be what takes its runner down. */
const interrupted = (context: QueueContext, job: RunningJob): Promise<void> => {
  if (!isRequest(job) && isRerun(context, job) && job.attempt < context.maxAttempts) {
    context.log.warn({ job: job.id, attempt: job.attempt }, 'A job was interrupted; it runs again');
    return journalled(context, () => context.transitions.rerun(job.id));
  }
  const times = job.attempt === 1 ? '' : ` The job was started ${job.attempt} times.`;
  return finish(context, job, { kind: 'interrupted', reason: `The runner died before the job ended.${times}` });
};

const isRerun = (context: QueueContext, job: RunningJob): boolean => {
  try {
    return context.plugins.isRerunAfterLoss(job);
  } catch (thrown) {
    context.log.warn(
      { error: thrown, job: job.id },
      'The plugin of an interrupted job is gone; the job does not run again',
    );
    return false;
  }
};

/** The end of a job that no runner has seen end. */
const finish = (context: QueueContext, job: RunningJob, result: JobResult): Promise<void> => {
  const startedAt = result.kind === 'interrupted' ? job.startedAt : null;
  return ended(context, job, { startedAt, finishedAt: context.clock.now(), times: noTimes, result, details: {} });
};

const judge = async (context: QueueContext, job: RunningJob, ending: RunExit): Promise<Conclusion> => {
  try {
    return await context.plugins.conclude(job, ending);
  } catch (thrown) {
    context.log.error({ error: thrown, job: job.id }, 'Could not determine the job’s result');
    const reason = `The job ended, but its result cannot be determined: ${messageOf(thrown)}`;
    return { kind: 'result', result: { kind: 'interrupted', reason }, details: {} };
  }
};

/** A job that has ended keeps its slot until the journal knows: tried until it does, or until the next daemon's turn. */
const journalled = async (context: QueueContext, write: () => unknown): Promise<void> => {
  for (let attempts = 1; context.phase !== 'stopped'; attempts += 1) {
    try {
      write();
      return;
    } catch (thrown) {
      if (!(thrown instanceof TriggerdError && thrown.retryable)) throw thrown;
      if (attempts === 1) context.log.error({ error: thrown }, 'Cannot journal the end of a job; retrying');
      await sleep(retryMs, undefined, { ref: false });
    }
  }
};

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
