import type { Command } from 'commander';
import { TriggerdError } from '../../../domain/errors.ts';

export interface QueueOption {
  readonly queue?: string;
}

export const addQueueOption = (command: Command): Command =>
  command.option('--queue <name>', 'queue (default: "default")');

/** `/v1/queues/<name>/<verb>`; the name may be `*` where the verb is for all queues. */
export const queuePath = (queue: string | undefined, verb: string): string =>
  `/v1/queues/${encodeURIComponent(queue ?? 'default')}/${verb}`;

export const queueNotFound = (queue: string): TriggerdError =>
  new TriggerdError('queue-not-found', `there is no queue “${queue}”`, { details: { queue } });
