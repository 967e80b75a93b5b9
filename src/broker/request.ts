import type { Ending, OutputStream, RequestHead } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { Behalf } from '../domain/behalf.ts';
import type { Asker, Caller } from '../domain/caller.ts';
import type { RequestId } from '../domain/request.ts';
import type { Retry } from '../domain/service.ts';
import type { ServiceView } from '../domain/service-view.ts';
import type { Tail } from '../kit/text-or-bytes.ts';
import type { WorkerSession } from './sessions.ts';

/** A request that is not over. */
export interface Request {
  readonly id: RequestId;
  /** Who sent it, and has its id. */
  readonly user: string;
  readonly team: string;
  /** The same, with the rights of that moment. */
  readonly caller: Caller;
  /** By its numbers, where there are proofs. */
  readonly asker: Asker | null;
  /** On whose behalf; null: for itself. */
  readonly behalf: Behalf | null;
  readonly service: ServiceView;
  readonly head: RequestHead;
  readonly payload: Buffer;
  /** What is held of it. */
  readonly bytes: number;
  readonly retry: Retry;
  /** Monotonic. */
  readonly deadlineAt: number;
  /** ms since the epoch. */
  readonly receivedAt: number;
  /** In the order in which they began; for a mirror in that of the workers. */
  readonly legs: Leg[];
  /** Identities that a serial request still has to go to. */
  readonly ahead: string[];
  /** Null: nobody listens, it runs on all the same. */
  client: PeerId | null;
  /** The client has heard of it: that it was accepted. */
  isAccepted: boolean;
  cancelled: string | null;
}

/**
 * One worker's part of a request.
 *
 *     waiting ──► sent ──► over          waiting   in a queue, for a worker with a free slot
 *        ▲  ▲      │ ▲                   sent      a worker has it; it counts as started
 *        │  └──────┘ │ known             asked     workers were asked whether they have ever started it
 *        └──────── asked ◄── absent      absent    a worker that may know is not connected yet
 *
 * A leg that was sent is waiting again when the worker gives it back, or was lost and the service says `retry = "always"`.
 * `over` is for ever.
 */
export interface Leg {
  readonly request: Request;
  /** What it waits for: `team/service` or `team/worker`. */
  readonly target: string;
  /** Identities of the workers that may have it, in order. */
  readonly candidates: readonly string[];
  /** Its place in time: what came first goes first. */
  readonly number: number;
  state: LegState;
  /** Identity, once one has it. */
  worker: string | null;
  /** The client has not heard yet who that is. */
  isNews: boolean;
  /** Bytes of its output that have come in the present stream, in all. */
  received: number;
  /** Bytes that the client was sent; a stream that begins anew is passed on from here. */
  forwarded: number;
  /** What the worker was told of the client's progress. */
  acked: number;
}

export type LegState =
  | { readonly at: 'waiting' }
  | {
      readonly at: 'asked';
      /** Who has not answered. */
      readonly open: Set<WorkerSession>;
      readonly until: number;
      /** One of them is gone without an answer: it may have run. */
      isDoubtful: boolean;
    }
  /** `suspects`: identities of those who may have it. */
  | { readonly at: 'absent'; readonly suspects: readonly string[]; readonly until: number }
  | { readonly at: 'sent'; readonly session: WorkerSession }
  | {
      readonly at: 'over';
      readonly ending: Ending;
      readonly node: string | null;
      readonly job: number | null;
      readonly tail: Tail;
      /** All of its output, where that goes to the client with the end of the request. */
      readonly output: { readonly stream: OutputStream; readonly bytes: Buffer } | null;
    };

export const waiting: LegState = { at: 'waiting' };

/** An ending that no worker has told: it has not run, or nobody knows. */
export const endingOf = (
  result: Ending['result'],
  reason: string,
  code: Ending['code'] = null,
  outputBytes = 0,
): Ending => ({ result, exit_code: null, signal: null, reason, code, ran_ms: null, output_bytes: outputBytes });

/** Whether each of its workers has a part of its own; else one leg stands in for the one before it. */
export const isForEach = ({ service: { algorithm } }: Pick<Request, 'service'>): boolean =>
  algorithm === 'serial' || algorithm === 'mirror';

/** Who sent it, as records have it. */
export const userOf = ({ user, team }: Pick<Request, 'user' | 'team'>): string => `${user}@${team}`;

/** Who began it: whom it counts for. */
export const originOf = ({ behalf, user, team }: Pick<Request, 'behalf' | 'user' | 'team'>): string => {
  const [first] = behalf?.askers ?? [];
  return first === undefined ? `${user}@${team}` : nameOf(first);
};

/** For whom it counts: whoever asked first. */
export const holderOf = ({ behalf, caller }: Pick<Request, 'behalf' | 'caller'>): Caller =>
  behalf?.callers[0] ?? caller;

export const nameOf = ({ identity, team }: Pick<Asker, 'identity' | 'team'>): string => `${identity}@${team}`;

/** The whole of a request, from its legs: the last one where each stands in for the one before, else one failure is the failure of all. */
export const wholeOf = (request: Request): Ending => {
  const { legs, service } = request;
  const endings = legs.flatMap(({ state }) => (state.at === 'over' ? [state.ending] : []));
  const last = endings.at(-1);
  if (last === undefined) return endingOf('lost', 'it went to no worker', 'no-worker');
  if (!isForEach(request)) return last;
  const decisive =
    endings.find(({ exit_code }) => exit_code !== null && exit_code !== 0) ??
    endings.find(({ result }) => result !== 'succeeded') ??
    last;
  const times = endings.flatMap(({ ran_ms }) => (ran_ms === null ? [] : [ran_ms]));
  return {
    ...decisive,
    ran_ms:
      times.length === 0 ? null : times.reduce((a, b) => (service.algorithm === 'serial' ? a + b : Math.max(a, b))),
    output_bytes: endings.reduce((sum, { output_bytes }) => sum + output_bytes, 0),
  };
};
