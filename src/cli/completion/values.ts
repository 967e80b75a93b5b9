/** What is there at the moment: asked of the daemon, for a short time. */

import type { LiveRequestsView } from '../../api/contract/brokers.ts';
import type { FiringView } from '../../api/contract/firings.ts';
import type { JobView } from '../../api/contract/jobs.ts';
import type { NodeView } from '../../api/contract/nodes.ts';
import type { PluginView } from '../../api/contract/plugins.ts';
import type { QueueView } from '../../api/contract/queues.ts';
import { cellText } from '../../console/table.ts';
import { nameOf, rowsOf } from '../../console/tables.ts';
import { visible } from '../../kit/text.ts';
import type { Statement } from '../../registry/statements.ts';
import { askRegistry } from '../registry/ask-registry.ts';
import type { DaemonClient } from '../support/http-client.ts';
import { query } from '../support/options.ts';

export interface Candidate {
  readonly value: string;
  readonly about: string;
}

export interface Asking {
  readonly client: DaemonClient;
  readonly signal: AbortSignal;
  /** `--queue`, where the command line has it. */
  readonly queue: string | undefined;
  /** The team that is meant. */
  readonly team: () => Promise<string>;
}

type RegistryKind = 'team' | 'user' | 'worker' | 'service' | 'definition' | 'directory';
export type ValueKind =
  | 'queues'
  | 'jobs'
  | 'running'
  | 'queued'
  | 'ended'
  | 'firings'
  | 'nodes'
  | 'plugins'
  | 'requests'
  | RegistryKind;

export const askFor = async (kind: ValueKind, asking: Asking): Promise<Candidate[]> => {
  switch (kind) {
    case 'queues':
      return (await get<QueueView[]>(asking, '/v1/queues')).map(({ name, running, queued }) => ({
        value: name,
        about: `${running} running, ${queued} queued`,
      }));
    case 'nodes':
      return (await get<NodeView[]>(asking, '/v1/nodes')).map(({ node, present }) => ({
        value: node,
        about: present ? 'present' : 'away',
      }));
    case 'plugins':
      return (await get<PluginView[]>(asking, '/v1/plugins')).map(({ name }) => ({ value: name, about: 'plugin' }));
    case 'firings':
      return (await get<FiringView[]>(asking, '/v1/firings?limit=20')).map(({ id, trigger }) => ({
        value: id,
        about: visible(trigger),
      }));
    case 'requests':
      return (await get<LiveRequestsView>(asking, '/v1/requests?limit=100')).requests.map((request) => ({
        value: request.id,
        about: visible(`${request.state}: ${request.user}@${request.team} ${request.command.slice(0, 40)}`),
      }));
    case 'team':
    case 'user':
    case 'worker':
    case 'service':
    case 'definition':
    case 'directory':
      return registered(kind, asking);
    default:
      return jobs(kind, asking);
  }
};

const statesOf = { jobs: undefined, running: 'running', queued: 'queued', ended: 'finished,skipped' } as const;

const jobs = async (kind: keyof typeof statesOf, asking: Asking): Promise<Candidate[]> => {
  const which = query({ queue: asking.queue, state: statesOf[kind], command: 60, queued: 100, ended: 100 });
  return (await get<JobView[]>(asking, `/v1/jobs${which}`)).map(({ id, state, label, command }) => ({
    value: String(id),
    about: `${state}: ${visible(label ?? command)}`,
  }));
};

const registered = async (kind: RegistryKind, { client, signal, team }: Asking): Promise<Candidate[]> => {
  const statement: Statement = kind === 'team' ? { verb: 'team.list' } : { verb: `${kind}.list`, team: await team() };
  const answer = await askRegistry(client, statement, signal);
  return rowsOf(answer).map((row) => ({
    value: nameOf(kind, row),
    about: cellText('description', row['description'] || row['state'] || kind),
  }));
};

const get = <Answer>({ client, signal }: Asking, path: string): Promise<Answer> => client.request(path, { signal });
