import type { JobId } from '../../domain/job.ts';
import type { QueueContext } from '../context.ts';
import { readRecorded } from '../in-memory/in-memory-output.ts';
import type { KeptOutput } from '../queues.ts';

/** Of a request to a persistent plugin, in memory or in the journal. */
export const keptOutput = ({ inMemory, journal }: QueueContext, id: JobId): KeptOutput | undefined => {
  const found = inMemory?.find(id);
  if (found !== undefined) return found;
  const recorded = journal.recordedOutput(id);
  return recorded && { over: Promise.resolve(), read: (sink) => readRecorded(recorded, sink) };
};
