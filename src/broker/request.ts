import { outcomeWithoutRun } from '../bus/codec/fields.ts';
import type { RequestHead, WireOutcome } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { Asker, Behalf, Caller } from '../domain/caller.ts';
import type { RequestId } from '../domain/request.ts';
import type { RequestLeg, RequestRecord } from '../domain/request-record.ts';
import type { Retry, ServiceView } from '../domain/service.ts';
import type { LegState } from './leg-state.ts';

/** A request that is not over. */
export interface Request {
  readonly id: RequestId;
  /** Identity of the user who sent it, and who owns its ID. */
  readonly user: string;
  readonly team: string;
  /** The user with the rights of that moment. */
  readonly caller: Caller;
  /** The user by numbers; null: this broker makes no proofs. */
  readonly asker: Asker | null;
  /** On whose behalf the user asks; null: on the user's own. */
  readonly behalf: Behalf | null;
  readonly service: ServiceView;
  readonly head: RequestHead;
  readonly payload: Buffer;
  /** Memory that counts for it. */
  readonly bytes: number;
  readonly retry: Retry;
  /** Monotonic. */
  readonly deadlineAt: number;
  /** ms since the epoch. */
  readonly receivedAt: number;
  /** Legs in the order in which they began; legs of a mirror in the order of the workers. */
  readonly legs: Leg[];
  /** Identities of workers that a serial request still has to go to. */
  readonly remaining: string[];
  /** Null: no client listens; the request continues. */
  client: PeerId | null;
  /** The client was told that the request is accepted. */
  isAccepted: boolean;
  cancelled: string | null;
}

/** One worker's part of a request. Its life is drawn in `leg-machine.ts`. */
export interface Leg {
  readonly request: Request;
  /** The target that it waits for: `team/service` or `team/worker`. */
  readonly target: string;
  /** Identities of the workers that may take it, in order. */
  readonly candidates: readonly string[];
  /** Counts legs: a leg with a smaller number goes first. */
  readonly number: number;
  state: LegState;
  /** The client was not told yet which worker has it. */
  isNews: boolean;
  /** Bytes of output that have arrived in the present stream. */
  received: number;
  /** Bytes that the client was sent; a stream that begins again is forwarded from here. */
  forwarded: number;
  /** Bytes that were acknowledged to the worker. */
  acked: number;
}

/** Whether each worker has a leg of its own; otherwise one leg replaces the one before it. */
export const hasLegPerWorker = ({ service: { algorithm } }: Pick<Request, 'service'>): boolean =>
  algorithm === 'serial' || algorithm === 'mirror';

/** The worker that has it, or had it last. */
export const lastWorkerOf = ({ state }: Leg): string | null => ('worker' in state ? state.worker : null);

/** The worker of this leg. A leg of a serial or mirrored request belongs to its one worker, even if that was never connected. */
export const workerOf = (leg: Leg): string | null => {
  const isOfOne = leg.state.kind === 'over' && hasLegPerWorker(leg.request);
  return lastWorkerOf(leg) ?? (isOfOne ? (leg.candidates[0] ?? null) : null);
};

/** The user that the request counts for: who asked first. */
export const holderOf = ({ behalf, caller }: Pick<Request, 'behalf' | 'caller'>): Caller =>
  behalf?.callers[0] ?? caller;

export const nameOf = ({ identity, team }: Pick<Asker, 'identity' | 'team'>): string => `${identity}@${team}`;

/** The outcome of a request, from its legs: the last leg's where each replaces the one before, otherwise the first failure. */
export const outcomeOf = (request: Request): WireOutcome => {
  const { legs, service } = request;
  const outcomes = legs.flatMap(({ state }) => (state.kind === 'over' ? [state.outcome] : []));
  const last = outcomes.at(-1);
  if (last === undefined) return outcomeWithoutRun('lost', 'it went to no worker', 'no-worker');
  if (!hasLegPerWorker(request)) return last;
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

const commandLength = 200;

/** The beginning of a payload, as text. Four bytes are the longest character. */
export const commandOf = (payload: Buffer): string =>
  payload.toString('utf8', 0, commandLength * 4).slice(0, commandLength);

/** The record of a finished request. */
export const recordOf = (request: Request, outcome: WireOutcome, finishedAt: number): RequestRecord => ({
  id: request.id,
  ...whoOf(request),
  service: request.service.name,
  service_team: request.service.team,
  plugin: request.head.plugin,
  command: commandOf(request.payload),
  received_at: new Date(request.receivedAt).toISOString(),
  finished_at: new Date(finishedAt).toISOString(),
  result: outcome.result,
  exit_code: outcome.exit_code,
  reason: outcome.reason,
  legs: request.legs.flatMap(legOf),
});

/** A request from inside a job belongs to the user who asked for the job. */
const whoOf = ({ user, team, behalf }: Request): Pick<RequestRecord, 'team' | 'user' | 'through'> => {
  const [first, ...others] = behalf?.askers ?? [];
  if (first === undefined) return { team, user };
  const through = [...others.map(nameOf), nameOf({ identity: user, team })];
  return { team: first.team, user: first.identity, through };
};

const legOf = (leg: Leg): RequestLeg[] => {
  const { state, candidates } = leg;
  if (state.kind !== 'over') return [];
  const { outcome, report } = state;
  const { node, job, tail } = report;
  const { result, exit_code, reason, ran_ms, output_bytes } = outcome;
  const name = workerOf(leg) ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (name === undefined) return [];
  const { text: output_tail, base64 } = tail;
  const bytes = base64 === undefined ? {} : { output_tail_base64: base64 };
  return [{ worker: name, node, job_id: job, result, exit_code, reason, ran_ms, output_bytes, output_tail, ...bytes }];
};
