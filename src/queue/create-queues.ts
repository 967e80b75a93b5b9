import PQueue from 'p-queue';
import { TriggerdError } from '../domain/errors.ts';
import { hasEnded } from '../domain/job.ts';
import { cancelBackoff } from './backoff.ts';
import {
  findJob,
  jobWithId,
  type NamedQueue,
  type QueueContext,
  type QueueOptions,
  type QueuesOptions,
} from './context.ts';
import { createDeferrals } from './deferrals.ts';
import { createDelays } from './delays.ts';
import { createHopelessSkipper } from './hopeless.ts';
import { createInMemoryJobs } from './in-memory/in-memory-jobs.ts';
import type { Journal } from './ports/journal.ts';
import type { Plugins } from './ports/plugins.ts';
import type { Queues } from './queues.ts';
import { restore } from './restore.ts';
import { createRetention, type Retention } from './retention.ts';
import { wake } from './scheduler.ts';
import { createChanges, createTransitions } from './transitions.ts';
import { add, jobFor, offer, retry, take } from './verbs/add.ts';
import { clear, kill, remove, satisfy, skip } from './verbs/end.ts';
import { keptOutput, list, summary, waitFor } from './verbs/look.ts';
import { drain, makeUrgent, pause, resume, setSlots, slots, swap } from './verbs/queue.ts';
import { free, onFree, startInMemory, startNow } from './verbs/start-now.ts';
import { addTsp, clearTsp, hideTsp, listTsp, restartTsp } from './verbs/tsp.ts';

/** The queue room. Nothing runs before `start`; the journal and the runner are the caller's to close, after `stop`. */
export const createQueues = (options: QueuesOptions): Queues => {
  const context = createContext(options);
  const retention = createRetention(options);
  return {
    start: async () => start(context, retention),
    stop: async () => {
      stop(context, retention);
      await options.persistent?.pool.close();
      context.inMemory?.flush();
    },
    add: (request) => add(context, request),
    offer: (request, terms) => offer(context, request, terms),
    tsp: {
      add: (request, order) => addTsp(context, request, order),
      list: (queue) => listTsp(context, queue),
      clear: (queue) => clearTsp(context, queue),
      hide: (queue, number) => hideTsp(context, queue, number),
      restart: (queue, slots) => restartTsp(context, queue, slots),
    },
    jobFor: (request) => jobFor(context, request),
    take: (firings) => take(context, firings),
    get: (id) => jobWithId(context, id),
    find: (id) => findJob(context, id),
    list: (filter) => list(context, filter),
    summary: () => summary(context),
    kill: (id, why) => kill(context, id, why),
    free: (queue) => free(context, queue),
    onFree: (queue, listener) => onFree(context, queue, listener),
    startNow: (request) => startNow(context, request),
    startInMemory: (request, command) => startInMemory(context, request, command),
    keptOutput: (id) => keptOutput(context, id),
    findRun: (run) => context.inMemory?.findRun(run),
    remove: (id) => remove(context, id),
    skip: (id, reason) => skip(context, id, reason),
    satisfy: (id, ending) => satisfy(context, id, ending),
    makeUrgent: (id) => makeUrgent(context, id),
    swap: (a, b) => swap(context, a, b),
    retry: (id) => retry(context, id),
    clear: (queue) => {
      const cleared = clear(context, queue);
      retention.sweep();
      return cleared;
    },
    pause: (queue) => pause(context, queue),
    resume: (queue) => resume(context, queue),
    drain: (queue, signal) => drain(context, queue, signal),
    slots: (queue) => slots(context, queue),
    setSlots: (queue, count) => setSlots(context, queue, count),
    waitFor: (id, signal) => waitFor(context, id, signal),
    onRecorded: (listener) => context.changes.onRecorded(listener),
    onChange: (listener) => context.changes.onEvery(listener),
  };
};

const createContext = ({ queues, persistent, ...given }: QueuesOptions): QueueContext => {
  const ports = { ...given, plugins: behindGate(given) };
  const changes = createChanges(ports.log);
  const transitions = createTransitions(ports.journal, changes, ports.clock);
  const named = namedQueues(queues, ports.journal);
  const wakeNamed = (name: string): void => {
    const queue = named.get(name);
    if (queue !== undefined) wake(context, queue);
  };
  const deferrals = createDeferrals({ ...ports, transitions, wake: wakeNamed });
  const skipHopeless = createHopelessSkipper({ ...ports, transitions });
  const context: QueueContext = {
    ...ports,
    queues: named,
    changes,
    transitions,
    deferrals,
    delays: createDelays({ ...ports, wake: wakeNamed }),
    skipHopeless,
    preparing: new Map(),
    adopting: new Map(),
    inMemory:
      persistent &&
      createInMemoryJobs({ ...ports, ...persistent, keep: ports.history.keep, onRecorded: changes.recorded }),
    killReasons: new Map(),
    wake: wakeNamed,
    phase: 'new',
  };
  // A job may wait for one of another queue.
  changes.onEvery((job) => {
    if (!hasEnded(job)) return;
    skipHopeless();
    for (const name of named.keys()) wakeNamed(name);
  });
  return context;
};

/** The gate is asked first what is in the way of a job. */
const behindGate = ({ plugins, gate }: Pick<QueuesOptions, 'plugins' | 'gate'>): Plugins =>
  gate === undefined
    ? plugins
    : { ...plugins, obstacle: async (job) => (await gate.obstacle(job)) ?? plugins.obstacle(job) };

/** The configured queues, and behind them those that are gone from the configuration and still have jobs. */
const namedQueues = (configured: readonly QueueOptions[], journal: Journal): ReadonlyMap<string, NamedQueue> => {
  const named = new Map(configured.map((queue) => [queue.name, createQueue(queue, journal, true)]));
  for (const name of journal.queuesInUse().sort())
    if (!named.has(name)) named.set(name, createQueue({ name, slots: 1, maxQueued: 0 }, journal, false));
  return named;
};

const createQueue = (options: QueueOptions, journal: Journal, isConfigured: boolean): NamedQueue => {
  const { paused, slots: stored } = journal.queueSettings(options.name);
  return {
    ...options,
    isConfigured,
    scheduler: new PQueue({ concurrency: stored ?? options.slots, autoStart: false }),
    size: stored ?? options.slots,
    extra: 0,
    choosing: Promise.resolve(),
    isPaused: paused,
    drains: 0,
    openings: new Set(),
    backoff: undefined,
  };
};

const start = (context: QueueContext, retention: Retention): void => {
  if (context.phase !== 'new') throw new TriggerdError('internal', 'the queues were started twice');
  context.phase = 'running';
  for (const { name, isConfigured } of context.queues.values())
    if (!isConfigured)
      context.log.warn({ queue: name }, 'This queue is no longer in the configuration; its jobs still run');
  restore(context);
  retention.start();
};

const stop = (context: QueueContext, retention: Retention): void => {
  context.phase = 'stopped';
  for (const queue of context.queues.values()) {
    queue.scheduler.pause();
    queue.scheduler.clear();
    cancelBackoff(queue);
  }
  context.deferrals.close();
  context.delays.close();
  retention.stop();
};
