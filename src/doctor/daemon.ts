import type { HealthView } from '../api/contract.ts';
import { asTriggerdError, errorCatalogue } from '../domain/errors.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import type { Surroundings } from './ports.ts';
import { checkQueues } from './queues.ts';

/** Whether the daemon answers, what it says of itself, and its queues. */
export const checkDaemon = async (surroundings: Surroundings, health: Promise<HealthView>): Promise<Finding[]> => {
  try {
    const answer = await health;
    return [...daemonFindings(answer), ...(await checkQueues(surroundings, answer))];
  } catch (thrown) {
    const error = asTriggerdError(thrown);
    return [wrong('daemon', error.message, errorCatalogue[error.code].remedy)];
  }
};

const daemonFindings = ({ node, version, pid, etcd, watching }: HealthView): Finding[] => {
  const about = `triggerd ${version} as ${node}, pid ${pid}`;
  if (!etcd.connected) {
    const what = `${about}: no etcd since ${etcd.since}${etcd.last_error === null ? '' : ` (${etcd.last_error})`}`;
    return [wrong('daemon', what, 'Local jobs go on; see etcd below.')];
  }
  if (!watching)
    return [warning('daemon', `${about}: watches no inbox`, 'Set [watch] enabled = true where it should.')];
  return [fine('daemon', about)];
};
