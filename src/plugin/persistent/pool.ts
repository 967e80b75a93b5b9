/**
 * The processes of persistent plugins, and which call each of them does.
 *
 *     (first call) ─► serving ─── no call for a while, or the plugin has changed ──► its input ends ─► gone
 *                       │  ▲                                                             │
 *                       │  └── the next call, while it has capacity                      │ grace
 *                       │                                                                ▼
 *                       └── a cancelled call outlasts its grace, nonsense is said ─► stopped ─► gone
 *
 * Whatever takes a process down interrupts all of its calls. One that fails again and again is started ever more seldom:
 * calls in between end as `not-started`.
 */
import { type RetryPolicy, retryDelayMs } from '../../kit/retry.ts';
import type {
  CallListener,
  PersistentCall,
  PersistentPool,
  PersistentProgram,
  RunningCall,
} from '../../queue/ports/runner.ts';
import { Serving, type ServingOptions } from './serving.ts';

export interface PoolOptions extends ServingOptions {
  now(): number;
}

const restarts: RetryPolicy = { firstMs: 1000, factor: 2, maxMs: 30_000, jitter: 0.2 };

interface Trouble {
  readonly failures: number;
  readonly notBefore: number;
}

export const createPool = (options: PoolOptions): PersistentPool => {
  const { log, now } = options;
  const serving = new Set<Serving>();
  const troubles = new Map<string, Trouble>();
  let isClosed = false;

  /** The first failure costs no wait: a plugin that crashes once a day is none that can't be started. */
  const failed = (plugin: string): void => {
    const failures = (troubles.get(plugin)?.failures ?? 0) + 1;
    const delay = failures === 1 ? 0 : retryDelayMs(restarts, failures - 1);
    troubles.set(plugin, { failures, notBefore: now() + delay });
  };

  const started = (program: PersistentProgram): Serving => {
    const process = new Serving(program, options, {
      gone: (how, isFailure) => {
        serving.delete(process);
        const { plugin } = program;
        if (isFailure) failed(plugin);
        if (isFailure) log.warn({ plugin, how }, 'A persistent plugin has ended unexpectedly');
      },
      answered: () => troubles.delete(program.plugin),
    });
    serving.add(process);
    return process;
  };

  const withCapacity = ({ program, id }: PersistentCall): Serving | undefined => {
    for (const process of serving) {
      if (process.program !== program && process.program.executable === program.executable) process.retire();
      else if (process.program === program && process.hasCapacityFor(id)) return process;
    }
    return undefined;
  };

  const run = (call: PersistentCall, listener: CallListener): RunningCall => {
    const process = isClosed ? undefined : withCapacity(call);
    if (process !== undefined) return process.run(call, listener);
    const waitMs = (troubles.get(call.program.plugin)?.notBefore ?? 0) - now();
    if (!isClosed && waitMs <= 0) return started(call.program).run(call, listener);
    const reason = isClosed ? 'the daemon is stopping' : restReason(call.program.plugin, waitMs);
    queueMicrotask(() => listener.ended({ kind: 'not-started', cause: 'itself', reason }));
    return { kill: () => undefined };
  };

  return {
    run,
    close: async () => {
      isClosed = true;
      await Promise.all([...serving].map((process) => process.close()));
    },
  };
};

const restReason = (plugin: string, waitMs: number): string =>
  `The plugin ${plugin} has failed several times; triggerd starts it again in ${Math.ceil(waitMs / 1000)} s.`;
