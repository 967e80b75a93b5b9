import type { JobId } from '../../domain/job.ts';
import { readRecorded } from '../light/light-output.ts';
import type { KeptOutput } from '../queues.ts';
import type { Room } from '../room.ts';

/** Of a request to a persistent plugin, in memory or in the journal. */
export const keptOutput = ({ light, journal }: Room, id: JobId): KeptOutput | undefined => {
  const inMemory = light?.find(id);
  if (inMemory !== undefined) return inMemory;
  const recorded = journal.recordedOutput(id);
  return recorded && { over: Promise.resolve(), read: (sink) => readRecorded(recorded, sink) };
};
