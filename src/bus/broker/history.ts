import type { Ending } from '../messages.ts';
import type { RequestLeg, RequestRecord } from '../ports.ts';
import type { Leg, Request } from './request.ts';

const commandLength = 200;

/** What is kept of a request that is over. */
export const recordOf = (request: Request, ending: Ending, finishedAt: number): RequestRecord => ({
  id: request.id,
  team: request.team,
  user: request.user,
  service: request.service.name,
  service_team: request.service.team,
  plugin: request.head.plugin,
  // Four bytes are the longest character.
  command: request.payload.toString('utf8', 0, commandLength * 4).slice(0, commandLength),
  received_at: new Date(request.receivedAt).toISOString(),
  finished_at: new Date(finishedAt).toISOString(),
  result: ending.result,
  exit_code: ending.exit_code,
  reason: ending.reason,
  legs: request.legs.flatMap(legOf),
});

const legOf = ({ state, worker, candidates }: Leg): RequestLeg[] => {
  if (state.at !== 'over') return [];
  const { ending, node, job, tail } = state;
  const { result, exit_code, reason, ran_ms, output_bytes } = ending;
  const name = worker ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (name === undefined) return [];
  return [{ worker: name, node, job_id: job, result, exit_code, reason, ran_ms, output_bytes, output_tail: tail }];
};
