import type { HealthView } from '../api/contract.ts';
import type { Config } from '../config/schema.ts';
import { asTriggerdError, errorCatalogue } from '../domain/errors.ts';
import { type Finding, fine, wrong } from './finding.ts';
import type { Surroundings } from './ports.ts';
import { checkQueues } from './queues.ts';

/** Whether the daemon answers, what it says of itself, and its queues. */
export const checkDaemon = async (
  surroundings: Surroundings,
  { watch }: Config,
  health: Promise<HealthView>,
): Promise<Finding[]> => {
  try {
    const answer = await health;
    return [daemonFinding(answer, watch.enabled), ...(await checkQueues(surroundings, answer))];
  } catch (thrown) {
    const error = asTriggerdError(thrown);
    return [wrong('daemon', error.message, errorCatalogue[error.code].remedy)];
  }
};

/** Whether a daemon reaches etcd is known from its watch: of one that watches nothing, etcd's own line tells. */
const daemonFinding = ({ node, version, pid, etcd }: HealthView, watches: boolean): Finding => {
  const about = `triggerd ${version} as ${node}, pid ${pid}`;
  if (etcd.connected || !watches) return fine('daemon', about);
  const what = `${about}: no etcd since ${etcd.since}${etcd.last_error === null ? '' : ` (${etcd.last_error})`}`;
  return wrong('daemon', what, 'Local jobs go on; see etcd below.');
};
