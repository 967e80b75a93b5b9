import { setImmediate as nextTurn } from 'node:timers/promises';
import PQueue from 'p-queue';
import { TriggerdError } from '../domain/errors.ts';
import { hasEnded } from '../domain/job.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { cancelBackoff } from './backoff.ts';
import type { HistoryOptions, NamedQueue, QueueContext, QueueOptions, QueuesOptions } from './context.ts';
import { createDeferrals } from './deferrals.ts';
import { createDelays, createHopelessSkipper } from './delays.ts';
import { createInMemoryJobs } from './in-memory/in-memory-jobs.ts';
import type { Journal } from './ports/journal.ts';
import type { Plugins } from './ports/plugins.ts';
import type { Runner } from './ports/runner.ts';
import { boundVerbs, type Queues } from './queues.ts';
import { adoptJob } from './run-job.ts';
import { holdSlot, wake } from './scheduler.ts';
import { createChanges, createTransitions } from './transitions.ts';
import { clear } from './verbs/end.ts';

/** The queue room. Nothing runs before `start`; the journal and the runner are the caller's to close, after `stop`. */
export const createQueues = (options: QueuesOptions): Queues => {
  const context = createContext(options);
  const retention = createRetention(options);
  return {
    ...boundVerbs(context),
    start: async () => start(context, retention),
    stop: async () => {
      stop(context, retention);
      await options.persistent?.pool.close();
      context.inMemory?.flush();
    },
    clear: (queue) => {
      const cleared = clear(context, queue);
      retention.sweep();
      return cleared;
    },
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

/**
 * What a restart finds: jobs that run without us are adopted, and hold their slots before anything new starts; deferred
 * jobs are watched again, and delayed ones timed; then every queue looks at what is queued.
 */
const restore = (context: QueueContext): void => {
  for (const job of context.journal.running()) {
    const adopted = adoptJob(context, job).catch((thrown: unknown) =>
      context.log.error({ error: thrown, job: job.id }, 'Cannot adopt a running job'),
    );
    const queue = context.queues.get(job.request.queue);
    if (queue !== undefined) holdSlot(context, queue, job, adopted);
  }
  context.deferrals.restore();
  context.skipHopeless();
  context.delays.look();
  for (const queue of context.queues.values()) open(context, queue);
};

const open = (context: QueueContext, queue: NamedQueue): void => {
  queue.scheduler.start();
  context.wake(queue.name);
};

type Retention = ReturnType<typeof createRetention>;

interface RetentionOptions {
  readonly journal: Journal;
  readonly runner: Pick<Runner, 'discard'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly history: HistoryOptions;
}

/** Few enough that nobody notices the pause. */
const batchSize = 100;

/** Forgets ended jobs by number and age. Rows go first, folders after: the journal knows which are left over. */
export const createRetention = ({ journal, runner, clock, log, history }: RetentionOptions) => {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isSweeping = false;

  /** Requests come by the thousand: they have a share of their own, so that no Puppet run is pushed out by them. */
  const retire = async (): Promise<void> => {
    await retireSome(false);
    await retireSome(true);
    journal.forgetRequests(clock.now() - history.idsMs);
  };

  const retireSome = async (requests: boolean): Promise<void> => {
    for (let forgotten = batchSize; forgotten === batchSize && !isStopped; ) {
      const endedBefore = clock.now() - history.maxAgeMs;
      const ids = journal.retirable({ keep: history.keep, endedBefore, limit: batchSize, requests });
      forgotten = journal.forgetJobs(ids).length;
      await nextTurn();
    }
  };

  const sweepFolders = async (): Promise<void> => {
    while (!isStopped) {
      const folders = journal.leftovers(batchSize);
      if (folders.length === 0) return;
      for (const folder of folders) await runner.discard(folder);
      if (!isStopped) journal.dropLeftovers(folders);
    }
  };

  const logged = (work: Promise<void>): Promise<void> =>
    work.catch((thrown: unknown) => log.warn({ error: thrown }, 'Cannot delete old jobs; retrying'));

  /** Deletes the folders of forgotten jobs, in the background. */
  const sweep = (): void => {
    if (isSweeping) return;
    isSweeping = true;
    void logged(sweepFolders()).finally(() => {
      isSweeping = false;
    });
  };
  const retireAndSweep = (): void => void logged(retire()).then(sweep);

  return {
    start: (): void => {
      timer = setInterval(retireAndSweep, history.every).unref();
      retireAndSweep();
    },
    sweep,
    stop: (): void => {
      isStopped = true;
      clearInterval(timer);
    },
  };
};
