import { createOutputReader } from '../adapters/files/follow-output.ts';
import { createRequestJobs, type RequestRoom } from '../queue/requests/request-jobs.ts';
import type { Parts } from './parts.ts';
import type { Releasers } from './releasers.ts';

/** Requests as jobs, for the workers of this daemon. Once the queues are started: a stop ends what runs. */
export const startRequests = (
  {
    queues,
    journal,
    options: { log },
  }: Pick<Parts, 'queues' | 'journal'> & { readonly options: Pick<Parts['options'], 'log'> },
  releasers: Releasers,
): RequestRoom => {
  const room = createRequestJobs({ queues, requests: journal.requests, reader: createOutputReader(), log });
  releasers.push('requests', () => room.close('The worker was stopped.'));
  return room;
};
