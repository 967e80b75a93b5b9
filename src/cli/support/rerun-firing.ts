/** `trigger fire --rerun`: a firing's job once more, as a new firing. */
import type { FiringView, NewFiringBody, OutcomeView } from '../../api/contract/firings.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { endedWell, isFinal } from '../../domain/outcome.ts';
import { visible } from '../../kit/text.ts';
import type { Session } from './session.ts';

export type Rerun = Pick<NewFiringBody, 'trigger' | 'hosts' | 'plugin' | 'args' | 'tags' | 'noop'>;

/**
 * What firing `id` asked for, on all of its nodes, or with `onlyFailed` on those where it ended and did not end well. Nodes
 * where it has not ended are owed that run already; they are named on stderr. Undefined: there is no such node. Throws `firing-not-found`,
 * and `daemon-answer` for a daemon that does not tell the tags: without them another run would start.
 */
export const rerunOf = async (session: Session, id: string, onlyFailed: boolean): Promise<Rerun | undefined> => {
  const firing = await session.client.request<FiringView>(`/v1/firings/${encodeURIComponent(id)}`);
  const { trigger, targets, job, tags, noop } = firing;
  if (tags === undefined)
    throw new TriggerdError(
      'daemon-answer',
      'the daemon has an earlier version, which does not report the tags of the firing',
    );
  const hosts = onlyFailed ? failedNodes(session, firing) : targets;
  if (hosts.length === 0) return undefined;
  return { trigger, hosts, args: job.args, tags, noop, ...(job.plugin === null ? {} : { plugin: job.plugin }) };
};

const failedNodes = (session: Session, { id, targets, outcomes }: FiringView): string[] => {
  const outcomeOf = (node: string): OutcomeView | undefined => outcomes[node];
  const hasEnded = (node: string): boolean => isFinal(outcomeOf(node)?.stage ?? 'owed');
  const open = targets.filter((node) => !hasEnded(node));
  if (open.length > 0)
    session.terminal.err(
      `trigger: ${id} has not ended on ${open.map(visible).join(', ')}: nothing new is fired there\n`,
    );
  return targets.filter((node) => {
    const outcome = outcomeOf(node);
    return outcome !== undefined && isFinal(outcome.stage) && !endedWell(outcome);
  });
};
