import type { HolderView, NodeView } from '../../api/contract/nodes.ts';
import { visible } from '../../kit/text.ts';
import { printing } from '../command.ts';
import type { Canvas } from '../render/firing.ts';
import { renderTable } from '../render/table.ts';
import { age } from '../render/time.ts';
import type { HelpText } from '../support/options.ts';

export const renderNodes = (nodes: readonly NodeView[], canvas: Canvas): string =>
  [table(nodes, canvas), ...nodes.flatMap(contestants)].join('\n');

const table = (nodes: readonly NodeView[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'NODE', cell: ({ node }) => node, shrinkTo: 12 },
      {
        title: 'PRESENCE',
        cell: (node) => presenceOf(node) + (isContested(node) ? ', contested' : ''),
        paint: (node) => (node.present && !isContested(node) ? 'green' : 'red'),
      },
      { title: 'UP', cell: ({ present, started_at }) => (present ? age(started_at, now) : '') },
      { title: 'VERSION', cell: ({ version }) => version ?? '' },
      { title: 'ROLES', cell: ({ roles }) => roles.join(','), shrinkTo: 5 },
      { title: 'QUEUES (RUNNING+QUEUED)', cell: queuesInWords, shrinkTo: 10 },
    ],
    nodes,
    columns,
    paint,
  );

const presenceOf = ({ present }: NodeView): string => (present ? 'present' : 'away');

/** An earlier daemon does not say. */
const isContested = ({ refused }: Partial<NodeView>): boolean => (refused ?? []).length > 0;

/** A line for each daemon that asks for a name that another one has. */
const contestants = ({ node, holder, refused }: NodeView): string[] =>
  (refused ?? []).map(
    (other) =>
      `${visible(node)}: refused to ${processInWords(other)}; ${holder ? processInWords(holder) : 'a daemon of an earlier version'} has the name`,
  );

const processInWords = ({ host, address, pid }: HolderView): string =>
  visible(`${host}${address === null ? '' : ` (${address})`}, pid ${pid}`);

const queuesInWords = ({ queues }: NodeView): string =>
  Object.entries(queues)
    .map(([name, { running, queued }]) => `${name} ${running}+${queued}`)
    .join(', ');

export const help: HelpText = {
  examples: ['trigger nodes', "trigger nodes --json | jq '.[] | select(.present | not)'"],
};

export const define = printing('/v1/nodes', renderNodes);
