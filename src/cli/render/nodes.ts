/** `trigger nodes`. */
import type { NodeView } from '../../api/contract.ts';
import type { Canvas } from './firing.ts';
import { renderTable } from './table.ts';
import { age } from './time.ts';

export const renderNodes = (nodes: readonly NodeView[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'NODE', cell: ({ node }) => node, shrinkTo: 12 },
      {
        title: 'PRESENCE',
        cell: ({ present }) => (present ? 'present' : 'away'),
        paint: ({ present }) => (present ? 'green' : 'red'),
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

const queuesInWords = ({ queues }: NodeView): string =>
  Object.entries(queues)
    .map(([name, { running, queued }]) => `${name} ${running}+${queued}`)
    .join(', ');
