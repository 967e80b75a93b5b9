import PQueue from 'p-queue';
import { TriggerdError } from '../domain/errors.ts';
import { hasEnded } from '../domain/job.ts';
import { cancelBackoff } from './backoff.ts';
import { createChanges } from './changes.ts';
import { createDeferrals } from './deferrals.ts';
import { createDelays } from './delays.ts';
import { createHopelessSkipper } from './hopeless.ts';
import { createInMemoryJobs } from './in-memory/in-memory-jobs.ts';
import type { Journal } from './ports/journal.ts';
import type { Queues } from './queues.ts';
import { restore } from './restore.ts';
import { createRetention, type Retention } from './retention.ts';
import { findJob, jobWithId, type NamedQueue, type QueueOptions, type QueuesOptions, type Room } from './room.ts';
import { wake } from './scheduler.ts';
import { createTransitions } from './transitions.ts';
import { add, offer } from './verbs/add.ts';
import { clear } from './verbs/clear.ts';
import { drain } from './verbs/drain.ts';
import { keptOutput } from './verbs/kept-output.ts';
import { kill } from './verbs/kill.ts';
import { list } from './verbs/list.ts';
import { pause, resume } from './verbs/pause.ts';
import { remove } from './verbs/remove.ts';
import { makeUrgent, swap } from './verbs/reorder.ts';
import { retry } from './verbs/retry.ts';
import { satisfy } from './verbs/satisfy.ts';
import { skip } from './verbs/skip.ts';
import { setSlots, slots } from './verbs/slots.ts';
import { free, onFree, startInMemory, startNow } from './verbs/start-now.ts';
import { summary } from './verbs/summary.ts';
import { jobFor, take } from './verbs/take.ts';
import { addTsp, clearTsp, hideTsp, listTsp, restartTsp } from './verbs/tsp.ts';
import { waitFor } from './verbs/wait-for.ts';

/** The queue room. Nothing runs before `start`; the journal and the runner are the caller's to close, after `stop`. */
export const createQueues = (options: QueuesOptions): Queues => {
  const room = createRoom(options);
  const retention = createRetention(options);
  return {
    start: async () => start(room, retention),
    stop: async () => {
      stop(room, retention);
      await options.persistent?.pool.close();
      room.inMemory?.flush();
    },
    add: (request) => add(room, request),
    offer: (request, terms) => offer(room, request, terms),
    tsp: {
      add: (request, order) => addTsp(room, request, order),
      list: (queue) => listTsp(room, queue),
      clear: (queue) => clearTsp(room, queue),
      hide: (queue, number) => hideTsp(room, queue, number),
      restart: (queue, slots) => restartTsp(room, queue, slots),
    },
    jobFor: (request) => jobFor(room, request),
    take: (firings) => take(room, firings),
    get: (id) => jobWithId(room, id),
    find: (id) => findJob(room, id),
    list: (filter) => list(room, filter),
    summary: () => summary(room),
    kill: (id, why) => kill(room, id, why),
    free: (queue) => free(room, queue),
    onFree: (queue, listener) => onFree(room, queue, listener),
    startNow: (request) => startNow(room, request),
    startInMemory: (request, command) => startInMemory(room, request, command),
    keptOutput: (id) => keptOutput(room, id),
    findRun: (run) => room.inMemory?.findRun(run),
    remove: (id) => remove(room, id),
    skip: (id, reason) => skip(room, id, reason),
    satisfy: (id, ending) => satisfy(room, id, ending),
    makeUrgent: (id) => makeUrgent(room, id),
    swap: (a, b) => swap(room, a, b),
    retry: (id) => retry(room, id),
    clear: (queue) => {
      const cleared = clear(room, queue);
      retention.sweep();
      return cleared;
    },
    pause: (queue) => pause(room, queue),
    resume: (queue) => resume(room, queue),
    drain: (queue, signal) => drain(room, queue, signal),
    slots: (queue) => slots(room, queue),
    setSlots: (queue, count) => setSlots(room, queue, count),
    waitFor: (id, signal) => waitFor(room, id, signal),
    onRecorded: (listener) => room.changes.onRecorded(listener),
    onChange: (listener) => room.changes.onEvery(listener),
  };
};

const createRoom = ({ queues, persistent, ...ports }: QueuesOptions): Room => {
  const changes = createChanges(ports.log);
  const transitions = createTransitions(ports.journal, changes, ports.clock);
  const named = namedQueues(queues, ports.journal);
  const wakeNamed = (name: string): void => {
    const queue = named.get(name);
    if (queue !== undefined) wake(room, queue);
  };
  const deferrals = createDeferrals({ ...ports, transitions, wake: wakeNamed });
  const skipHopeless = createHopelessSkipper({ ...ports, transitions });
  const room: Room = {
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
  return room;
};

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
    outage: undefined,
  };
};

const start = (room: Room, retention: Retention): void => {
  if (room.phase !== 'new') throw new TriggerdError('internal', 'the queues were started twice');
  room.phase = 'running';
  for (const { name, isConfigured } of room.queues.values())
    if (!isConfigured)
      room.log.warn({ queue: name }, 'This queue is no longer in the configuration; its jobs still run');
  restore(room);
  retention.start();
};

const stop = (room: Room, retention: Retention): void => {
  room.phase = 'stopped';
  for (const queue of room.queues.values()) {
    queue.scheduler.pause();
    queue.scheduler.clear();
    cancelBackoff(queue);
  }
  room.deferrals.close();
  room.delays.close();
  retention.stop();
};
