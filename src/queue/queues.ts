import { findJob, jobWithId, type QueueContext } from './context.ts';
import { add, jobFor, offer, retry, take } from './verbs/add.ts';
import { kill, remove, satisfy, skip } from './verbs/end.ts';
import { findRun, keptOutput, list, onChange, onRecorded, summary, waitFor } from './verbs/look.ts';
import { drain, makeUrgent, pause, resume, setSlots, slots, swap } from './verbs/queue.ts';
import { free, onFree, startInMemory, startNow } from './verbs/start-now.ts';
import { addTsp, clearTsp, hideTsp, listTsp, restartTsp } from './verbs/tsp.ts';

const verbs = {
  ...{ add, offer, retry, jobFor, take, startNow, startInMemory },
  ...{ get: jobWithId, find: findJob, findRun, list, summary, keptOutput, waitFor, onChange, onRecorded },
  ...{ kill, remove, skip, satisfy },
  ...{ free, onFree, makeUrgent, swap, pause, resume, drain, slots, setSlots },
};

const tspVerbs = { add: addTsp, list: listTsp, clear: clearTsp, hide: hideTsp, restart: restartTsp };

/** The queue room's face: what the control API, the watcher and the daemon use. Each verb is described in verbs/. */
export interface Queues extends Bound<typeof verbs> {
  /** Takes up the journal's state after a restart: adopts running jobs, then starts. */
  start(): Promise<void>;
  /** Starts nothing more; running jobs continue and are adopted by the next start. */
  stop(): Promise<void>;
  /** Forgets ended jobs of a queue (of all queues without a name); returns how many. */
  clear(queue?: string): number;
  /** What `trigger tsp` sees of a queue; see verbs/tsp.ts. */
  readonly tsp: Bound<typeof tspVerbs>;
}

/** Verbs that know their context. */
type Bound<Verbs> = {
  [Name in keyof Verbs]: Verbs[Name] extends (context: QueueContext, ...args: infer Args) => infer Result
    ? (...args: Args) => Result
    : never;
};

/** All verbs of these queues. */
export const boundVerbs = (context: QueueContext): Omit<Queues, 'start' | 'stop' | 'clear'> => ({
  ...bind(context, verbs),
  tsp: bind(context, tspVerbs),
});

type Verb = (context: QueueContext, ...args: never[]) => unknown;

const bind = <Verbs extends Readonly<Record<string, Verb>>>(context: QueueContext, all: Verbs): Bound<Verbs> =>
  Object.fromEntries(
    Object.entries(all).map(([name, verb]) => [name, (...args: never[]) => verb(context, ...args)]),
  ) as Bound<Verbs>;
