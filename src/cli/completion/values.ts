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
import type { Kind } from '../render/registry.ts';
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

type Ask = (asking: Asking) => Promise<Candidate[]>;

const get = <Answer>({ client, signal }: Asking, path: string): Promise<Answer> => client.request(path, { signal });

const listed =
  <View>(path: string, candidate: (view: View) => Candidate): Ask =>
  async (asking) =>
    (await get<View[]>(asking, path)).map(candidate);

const jobs =
  (state?: string): Ask =>
  (asking) =>
    listed(
      `/v1/jobs${query({ queue: asking.queue, state, command: 60, queued: 100, ended: 100 })}`,
      ({ id, state, label, command }: JobView) => ({
        value: String(id),
        about: `${state}: ${visible(label ?? command)}`,
      }),
    )(asking);

const registered =
  (kind: Kind): Ask =>
  async ({ client, signal, team }) => {
    const statement: Statement = kind === 'team' ? { verb: 'team.list' } : { verb: `${kind}.list`, team: await team() };
    return rowsOf(await askRegistry(client, statement, signal)).map((row) => ({
      value: nameOf(kind, row),
      about: cellText('description', row['description'] || row['state'] || kind),
    }));
  };

const kinds = {
  queues: listed('/v1/queues', ({ name, running, queued }: QueueView) => ({
    value: name,
    about: `${running} running, ${queued} queued`,
  })),
  jobs: jobs(),
  running: jobs('running'),
  queued: jobs('queued'),
  ended: jobs('finished,skipped'),
  firings: listed('/v1/firings?limit=20', ({ id, trigger }: FiringView) => ({ value: id, about: visible(trigger) })),
  nodes: listed('/v1/nodes', ({ node, present }: NodeView) => ({ value: node, about: present ? 'present' : 'away' })),
  plugins: listed('/v1/plugins', ({ name }: PluginView) => ({ value: name, about: 'plugin' })),
  requests: async (asking) =>
    (await get<LiveRequestsView>(asking, '/v1/requests?limit=100')).requests.map((request) => ({
      value: request.id,
      about: visible(`${request.state}: ${request.user}@${request.team} ${request.command.slice(0, 40)}`),
    })),
  team: registered('team'),
  user: registered('user'),
  worker: registered('worker'),
  service: registered('service'),
  definition: registered('definition'),
  directory: registered('directory'),
} satisfies Record<string, Ask>;

export type ValueKind = keyof typeof kinds;

export const askFor = (kind: ValueKind, asking: Asking): Promise<Candidate[]> => kinds[kind](asking);
