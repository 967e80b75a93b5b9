/**
 * Scheduling. p-queue gives out the slots; what it holds is not jobs but *tasks*, and a task takes whatever is the
 * journal's head when its slot comes. So urgent, swap and remove are matters of the journal alone, and p-queue never has
 * more than a few tasks waiting however long the queue is.
 *
 * No wake-up is lost: a waiting task looks at the journal later than whatever made it worth looking, a task that took a
 * job wakes the queue again when the job has ended, and a task that finds nothing ends without giving way in between.
 *
 * Trouble is of two kinds. What concerns one job (its plugin is gone) ends or sets aside that job. What concerns
 * everything (the journal, the state folder, no runner starts) makes the queue back off: see backoff.ts.
 */
import { TriggerdError } from '../domain/errors.ts';
import type { Deferral, QueuedJob, RunningJob } from '../domain/job.ts';
import type { JobResult } from '../domain/result.ts';
import { backOff, backoffIsOver, isBackingOff } from './backoff.ts';
import type { NamedQueue, QueueContext } from './context.ts';
import { endUnstarted, messageOf, runJob } from './run-job.ts';
import { fits, takeExtra } from './slots-taken.ts';

/** Adopted jobs take their slots before anything new does. */
const adoptedFirst = 1;

/** See `QueueContext.wake`. Never throws, and does nothing while the queue backs off: it is woken after that. */
export const wake = (context: QueueContext, queue: NamedQueue): void => {
  if (context.phase !== 'running' || queue.isPaused || isBackingOff(queue)) return;
  try {
    while (queue.scheduler.size < queue.scheduler.concurrency && mayHaveMore(context, queue)) {
      schedule(queue, () => fillSlot(context, queue));
    }
    for (const opened of queue.openings) opened();
  } catch (thrown) {
    backOffAfter(context, queue, thrown);
  }
};

export const backOffAfter = (context: QueueContext, queue: NamedQueue, thrown: unknown): void =>
  backOff(context, queue, thrown, () => wake(context, queue));

/** Lets a job that already runs hold its slots until `over`. The wake-up is the task's own: as a waiting one it counts. */
export const holdSlot = (context: QueueContext, queue: NamedQueue, job: RunningJob, over: Promise<void>): void => {
  const giveBack = takeExtra(queue, job);
  const task = async (): Promise<void> => {
    await over;
    giveBack();
    wake(context, queue);
  };
  schedule(queue, task, adoptedFirst);
};

/** Gives a job that the journal calls running the slot that is free for it. */
export const runNow = (context: QueueContext, queue: NamedQueue, job: RunningJob): void =>
  schedule(queue, async () => {
    try {
      await runJob(context, job);
      backoffIsOver(context, queue);
      wake(context, queue);
    } catch (thrown) {
      backOffAfter(context, queue, thrown);
    }
  });

/** Gives something that runs by itself the slot that is free for it. */
export const holdNow = (queue: NamedQueue, over: Promise<unknown>): void =>
  schedule(queue, async () => {
    await over;
  });

const schedule = (queue: NamedQueue, task: () => Promise<void>, priority = 0): void => {
  // A task never rejects; p-queue's own promise is of no interest.
  void queue.scheduler.add(task, { priority }).catch(() => undefined);
};

const mayHaveMore = (context: QueueContext, queue: NamedQueue): boolean =>
  queue.scheduler.size < context.journal.count(queue.name, 'queued');

const fillSlot = async (context: QueueContext, queue: NamedQueue): Promise<void> => {
  if (isBackingOff(queue)) return;
  try {
    const chosen = await inOrder(queue, () => choose(context, queue));
    if (chosen !== undefined) await performed(context, chosen);
    backoffIsOver(context, queue);
    if (chosen !== undefined) wake(context, queue);
  } catch (thrown) {
    backOffAfter(context, queue, thrown);
  }
};

const performed = async (context: QueueContext, { job, failure, giveBack }: Chosen): Promise<void> => {
  try {
    await (failure === undefined ? runJob(context, job) : endUnstarted(context, job, failure));
  } finally {
    giveBack();
  }
};

/** One at a time per queue: between the look at the head and its start others may run, and must not see the same head. */
const inOrder = async <T>(queue: NamedQueue, work: () => Promise<T>): Promise<T> => {
  const before = queue.choosing;
  let done: () => void = () => undefined;
  queue.choosing = new Promise((resolve) => {
    done = resolve;
  });
  await before;
  try {
    return await work();
  } finally {
    done();
  }
};

/** A job that the journal calls running from now on; `failure` says why it cannot be. */
interface Chosen {
  readonly job: RunningJob;
  readonly giveBack: () => void;
  readonly failure?: JobResult;
}

/**
 * The first job that nothing is in the way of, started. Before it, those that something is in the way of are deferred,
 * and those that have lost their purpose are skipped.
 */
const choose = async (context: QueueContext, queue: NamedQueue): Promise<Chosen | undefined> => {
  for (;;) {
    const head = candidate(context, queue);
    if (head === undefined) return undefined;
    const obstacle = await obstacleOf(context, head);
    // Much may have happened meanwhile: pause, remove, something more urgent.
    if (candidate(context, queue)?.id !== head.id) continue;
    const lostPurpose = context.gate?.reasonToSkip(head) ?? null;
    if (lostPurpose !== null) context.transitions.skip(head.id, lostPurpose);
    else if (obstacle === null && !fits(context, queue, head)) return undefined;
    else if (obstacle === null) return started(context, queue, head);
    else if ('kind' in obstacle) return { ...started(context, queue, head), failure: obstacle };
    else context.deferrals.defer(head, obstacle);
  }
};

/** Its slots are taken before the next one is chosen. */
const started = (context: QueueContext, queue: NamedQueue, { id }: QueuedJob): Chosen => {
  const job = context.transitions.start(id);
  return { job, giveBack: takeExtra(queue, job) };
};

/**
 * What is in the way of this job. One whose plugin is gone or invalid can never start; one that could not be looked at
 * for a reason of the system's is set aside, and looked at again with the other deferred ones. Throws what is retryable.
 */
const obstacleOf = async (
  context: QueueContext,
  job: QueuedJob,
): Promise<Omit<Deferral, 'since'> | JobResult | null> => {
  try {
    return await context.plugins.obstacle(job);
  } catch (thrown) {
    const reason = messageOf(thrown);
    if (!(thrown instanceof TriggerdError))
      return { reason: `cannot check whether the job may run: ${reason}`, paths: [] };
    if (thrown.retryable) throw thrown;
    return { kind: 'failed-to-start', reason };
  }
};

const candidate = (context: QueueContext, queue: NamedQueue): QueuedJob | undefined =>
  context.phase === 'running' && !queue.isPaused ? context.journal.head(queue.name) : undefined;
