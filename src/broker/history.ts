import type { WireOutcome } from '../bus/messages.ts';
import type { RequestLeg, RequestRecord } from '../domain/request-record.ts';
import { type Leg, nameOf, type Request, workerOf } from './request.ts';

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
