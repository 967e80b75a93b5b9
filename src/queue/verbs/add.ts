import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { TriggerdError } from '../../domain/errors.ts';
import { hasEnded, type Job, type JobId, type JobRequest, type JobSource, type QueuedJob } from '../../domain/job.ts';
import { jobWithId, type NamedQueue, type QueueContext, queueNamed, wrongState } from '../context.ts';
import type { Acceptance, DecidedFiring, NewJob } from '../ports/journal.ts';

/** What `maxQueued` counts: a firing is owed and never refused for fullness. */
const bounded: readonly JobSource[] = ['cli', 'request'];

/** What an offer does when there is a queued job already. */
export interface OfferTerms {
  /** With a key: that job ends as skipped and this one takes its place, or that job stays and this one is not added. */
  readonly onKey?: 'replace' | 'keep';
  /** Not added when a queued job of this queue would do the same. */
  readonly unlessQueued?: boolean;
}

export interface Offered {
  readonly job: QueuedJob;
  /** False: it was queued before. */
  readonly isNew: boolean;
}

/**
 * Queues a job; it is journalled when this returns. Throws `queue-*`, `plugin-*`, `job-not-found` (`after`, `ifOk`),
 * `job-state` (`ifOk`), `draining`.
 */
export const add = (context: QueueContext, request: JobRequest): QueuedJob => offer(context, request, {}).job;

/** As `add`, unless the terms and a queued job make it unnecessary. */
export const offer = (
  context: QueueContext,
  asked: JobRequest,
  { onKey = 'replace', unlessQueued = false }: OfferTerms,
): Offered => {
  const queue = queueNamed(context, asked.queue);
  refuseWhileClosing(context, queue);
  const command = context.plugins.check(asked);
  const request = context.plugins.settled(asked);
  for (const id of waitsFor(request)) refuseUnknown(context, id, request);
  const same = unlessQueued ? queuedLike(context, request, command) : undefined;
  const keyed = request.key === undefined ? undefined : context.journal.queuedWithKey(queue.name, request.key);
  const kept = same ?? (onKey === 'keep' ? keyed : undefined);
  if (kept !== undefined) return { job: queuedJob(context, kept), isNew: false };
  if (keyed === undefined && bounded.includes(request.source)) refuseWhenFull(context, queue);
  const entry = { request, command, coalescingKey: null, at: context.clock.now() };
  const job = keyed === undefined ? context.transitions.add(entry) : context.transitions.replace(keyed, entry);
  if (request.notBefore !== undefined) context.delays.look();
  context.skipHopeless();
  context.wake(queue.name);
  return { job, isNew: true };
};

const waitsFor = ({ after, ifOk = [] }: JobRequest): readonly JobId[] => (after === null ? ifOk : [after, ...ifOk]);

/** A request that runs in memory is not in the journal yet: how it ends could be missed. */
const refuseUnknown = (context: QueueContext, id: JobId, { ifOk = [] }: JobRequest): void => {
  const job = jobWithId(context, id);
  if (ifOk.includes(id) && context.inMemory?.find(id) !== undefined)
    throw wrongState(job, 'it is a request, and no job can wait for the success of one that runs.');
};

/** A queued job that would do the same, whoever asked for it. */
const queuedLike = (context: QueueContext, request: JobRequest, command: string): JobId | undefined => {
  const wanted = identityOf(request);
  const listed = context.journal.list({ queue: request.queue, states: ['queued'] });
  return listed
    .filter((job) => job.command === command || job.command.endsWith('…'))
    .map(({ id }) => context.journal.get(id))
    .find((job) => job !== undefined && isDeepStrictEqual(identityOf(job.request), wanted))?.id;
};

const queuedJob = (context: QueueContext, id: JobId): QueuedJob => {
  const job: Job = jobWithId(context, id);
  if (job.state === 'queued') return job;
  throw wrongState(job, 'it was queued a moment ago.');
};

const refuseWhileClosing = (context: QueueContext, queue: NamedQueue): void => {
  if (!queue.isConfigured) {
    const message = `The queue “${queue.name}” is not in the configuration any more: it takes no new job.`;
    throw new TriggerdError('queue-not-found', message, { details: { queue: queue.name } });
  }
  if (context.phase === 'stopped') throw new TriggerdError('draining', 'the daemon is stopping');
  if (queue.drains > 0) {
    throw new TriggerdError('draining', `the queue “${queue.name}” is being drained`, {
      details: { queue: queue.name },
    });
  }
};

const refuseWhenFull = (context: QueueContext, { name, maxQueued }: NamedQueue): void => {
  if (context.journal.count(name, 'queued', bounded) < maxQueued) return;
  throw new TriggerdError('queue-full', `the queue “${name}” is full: it holds ${maxQueued} jobs`, {
    details: { queue: name, maxQueued },
  });
};

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

/**
 * Firings whose jobs would do exactly the same share one queued job: everything that reaches the process counts, what is
 * only for people (the label) does not. Null for sources whose every request is a job of its own.
 */
export const coalescingKeyOf = (request: JobRequest): string | null => {
  if (request.source !== 'firing') return null;
  return createHash('sha256')
    .update(JSON.stringify(identityOf(request)))
    .digest('hex');
};

/** All that makes two jobs do the same. */
const identityOf = (request: JobRequest): readonly unknown[] => {
  const { queue, plugin, argv, args, env, noop, cwd, payload, timeoutMs, runCommand } = request;
  const command = runCommand === undefined ? [] : [runCommand];
  return [queue, plugin, argv, sorted(args), sorted(env), noop, cwd, payload, timeoutMs, ...command];
};

const sorted = (record: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
