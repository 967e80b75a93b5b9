import type { RequestHead, WireOutcome } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { Asker, Behalf, Caller } from '../domain/caller.ts';
import type { RequestId } from '../domain/request.ts';
import type { Retry, ServiceView } from '../domain/service.ts';
import type { LegState } from './leg-state.ts';
import { outcomeOf } from './outcomes.ts';

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

/** One worker's part of a request. Its life is drawn in `leg-machine.ts`. */
export interface Leg {
  readonly request: Request;
  /** What it waits for: `team/service` or `team/worker`. */
  readonly target: string;
  /** Identities of the workers that may have it, in order. */
  readonly candidates: readonly string[];
  /** Its place in time: what came first goes first. */
  readonly number: number;
  state: LegState;
  /** The client has not heard yet which worker has it. */
  isNews: boolean;
  /** Bytes of its output that have come in the present stream, in all. */
  received: number;
  /** Bytes that the client was sent; a stream that begins anew is passed on from here. */
  forwarded: number;
  /** What the worker was told of the client's progress. */
  acked: number;
}

/** Whether each of its workers has a part of its own; else one leg stands in for the one before it. */
export const isForEach = ({ service: { algorithm } }: Pick<Request, 'service'>): boolean =>
  algorithm === 'serial' || algorithm === 'mirror';

/** The worker that has it, or had it last. */
export const lastWorkerOf = ({ state }: Leg): string | null => ('worker' in state ? state.worker : null);

/** The same; and each part of a serial or mirrored request that is over is one worker's, also of one that was not there. */
export const workerOf = (leg: Leg): string | null => {
  const isOfOne = leg.state.kind === 'over' && isForEach(leg.request);
  return lastWorkerOf(leg) ?? (isOfOne ? (leg.candidates[0] ?? null) : null);
};

/** For whom it counts: whoever asked first. */
export const holderOf = ({ behalf, caller }: Pick<Request, 'behalf' | 'caller'>): Caller =>
  behalf?.callers[0] ?? caller;

export const nameOf = ({ identity, team }: Pick<Asker, 'identity' | 'team'>): string => `${identity}@${team}`;

/** The whole of a request, from its legs: the last one where each stands in for the one before, else one failure is the failure of all. */
export const wholeOf = (request: Request): WireOutcome => {
  const { legs, service } = request;
  const outcomes = legs.flatMap(({ state }) => (state.kind === 'over' ? [state.outcome] : []));
  const last = outcomes.at(-1);
  if (last === undefined) return outcomeOf('lost', 'it went to no worker', 'no-worker');
  if (!isForEach(request)) return last;
  const decisive =
    outcomes.find(({ exit_code }) => exit_code !== null && exit_code !== 0) ??
    outcomes.find(({ result }) => result !== 'succeeded') ??
    last;
  const times = outcomes.flatMap(({ ran_ms }) => (ran_ms === null ? [] : [ran_ms]));
  return {
    ...decisive,
    ran_ms:
      times.length === 0 ? null : times.reduce((a, b) => (service.algorithm === 'serial' ? a + b : Math.max(a, b))),
    output_bytes: outcomes.reduce((sum, { output_bytes }) => sum + output_bytes, 0),
  };
};
