import type { QueueSummary } from '../../queue/verbs/look.ts';
import type { QueueView } from '../contract/queues.ts';

export const queueView = (queue: QueueSummary): QueueView => ({ ...queue });
