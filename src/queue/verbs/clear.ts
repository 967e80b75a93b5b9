import { type QueueContext, queueNamed } from '../context.ts';

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
