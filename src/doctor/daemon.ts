import type { HealthView } from '../api/contract/health.ts';
import type { Config } from '../config/schema.ts';
import { asTriggerdError, errorCatalogue } from '../domain/errors.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
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
    return [
      daemonFinding(answer, watch.enabled),
      ...nameFindings(answer),
      ...(await checkQueues(surroundings, answer)),
    ];
  } catch (thrown) {
    const error = asTriggerdError(thrown);
    return [wrong('daemon', error.message, errorCatalogue[error.code].remedy)];
  }
};

/** Two daemons of one name: whichever of them is looked at. */
const nameFindings = ({ node, name }: HealthView): Finding[] => {
  if (name === undefined || name.state === 'asking') return [];
  if (name.state === 'waiting') return [warning('name', name.what ?? '', name.remedy ?? '')];
  if (name.state === 'refused') return [wrong('name', `${name.what}; this node accepts no firings`, name.remedy ?? '')];
  if (name.refused.length === 0) return [fine('name', `${node} belongs to this daemon`)];
  const others = name.refused.map(
    ({ host, address, pid }) => `${host}${address === null ? '' : ` (${address})`}, pid ${pid}`,
  );
  return [
    wrong(
      'name',
      `${node} belongs to this daemon, and is refused to ${others.join('; ')}`,
      'Give that machine its own [node] name, or stop its daemon.',
    ),
  ];
};

/** Whether a daemon reaches etcd is known from its watch: of one that watches nothing, etcd's own line tells. */
const daemonFinding = ({ node, version, pid, etcd }: HealthView, watches: boolean): Finding => {
  const about = `triggerd ${version} as ${node}, pid ${pid}`;
  if (etcd.connected || !watches) return fine('daemon', about);
  const what = `${about}: no etcd since ${etcd.since}${etcd.last_error === null ? '' : ` (${etcd.last_error})`}`;
  return wrong('daemon', what, 'Local jobs continue; see etcd below.');
};
