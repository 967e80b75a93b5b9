import { TriggerdError } from '../../domain/errors.ts';
import type { Queues } from '../../queue/queues.ts';
import type { QueueSummary } from '../../queue/verbs/look.ts';
import type { QueueView } from '../contract/queues.ts';

export const queueView = (queue: QueueSummary): QueueView => ({ ...queue });

/** The queue's present state. Throws `queue-not-found`. */
export const queueNamed = (queues: Queues, name: string): QueueView => {
  const found = queues.summary().find((queue) => queue.name === name);
  if (found === undefined) throw new TriggerdError('queue-not-found', `there is no queue “${name}”`);
  return queueView(found);
};
