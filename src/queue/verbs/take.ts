import { TriggerdError } from '../../domain/errors.ts';
import type { JobRequest } from '../../domain/job.ts';
import { coalescingKeyOf } from '../coalescing-key.ts';
import { type QueueContext, queueNamed } from '../context.ts';
import type { Acceptance, DecidedFiring } from '../ports/firing-log.ts';
import type { NewJob } from '../ports/new-job.ts';

/** What a firing's request becomes in the journal. Throws `queue-not-found`, `plugin-*`: what could never run. */
export const jobFor = (context: QueueContext, request: JobRequest): NewJob => {
  queueNamed(context, request.queue);
  const command = context.plugins.check(request);
  const settled = context.plugins.settled(request);
  return { request: settled, command, coalescingKey: coalescingKeyOf(settled), at: context.clock.now() };
};

/**
 * Takes firings over, all or none: they are journalled when this returns, and owed from then on, so neither a full queue
 * nor a drain refuses them. One joins a queued job that would do the same, never a running one: that started before.
 * Throws `draining`, `journal-failed`.
 */
export const take = (context: QueueContext, firings: readonly DecidedFiring[]): Acceptance[] => {
  if (context.phase === 'stopped') throw new TriggerdError('draining', 'the daemon is stopping');
  const acceptances = context.transitions.take(firings);
  const queues = acceptances.flatMap((each) => (each.kind === 'queued' ? [each.job.request.queue] : []));
  for (const queue of new Set(queues)) context.wake(queue);
  return acceptances;
};
