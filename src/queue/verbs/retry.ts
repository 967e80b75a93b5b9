import { hasEnded, type JobId, type QueuedJob } from '../../domain/job.ts';
import { jobWithId, type QueueContext, wrongState } from '../context.ts';
import { add } from './add.ts';

/** A new job with the request of an ended one. It satisfies no firing, waits for no other job or time, has no key, and is nobody else's. */
export const retry = (context: QueueContext, id: JobId): QueuedJob => {
  const job = jobWithId(context, id);
  if (!hasEnded(job)) throw wrongState(job, 'only an ended job can be retried.');
  const {
    user: _before,
    origin,
    ifOk: _ifOk,
    notBefore: _delay,
    key: _key,
    runCommand: _accepted,
    tellsOf: _of,
    tsp: _tsp,
    ...request
  } = job.request;
  return add(context, { ...request, after: null, source: origin === undefined ? request.source : 'cli' });
};
