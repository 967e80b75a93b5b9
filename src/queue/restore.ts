import type { NamedQueue, QueueContext } from './context.ts';
import { adoptJob } from './run-job.ts';
import { holdSlot } from './scheduler.ts';

/**
 * What a restart finds: jobs that run without us are adopted, and hold their slots before anything new starts; deferred
 * jobs are watched again, and delayed ones timed; then every queue looks at what is queued.
 */
export const restore = (context: QueueContext): void => {
  for (const job of context.journal.running()) {
    const adopted = adoptJob(context, job).catch((thrown: unknown) =>
      context.log.error({ error: thrown, job: job.id }, 'Cannot adopt a running job'),
    );
    const queue = context.queues.get(job.request.queue);
    if (queue !== undefined) holdSlot(context, queue, job, adopted);
  }
  context.deferrals.restore();
  context.skipHopeless();
  context.delays.look();
  for (const queue of context.queues.values()) open(context, queue);
};

const open = (context: QueueContext, queue: NamedQueue): void => {
  queue.scheduler.start();
  context.wake(queue.name);
};
