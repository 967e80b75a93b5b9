/** `trigger request list`. */

import type { LiveRequest } from '../../domain/live-request.ts';
import type { Canvas } from './firing.ts';
import { renderTable } from './table.ts';
import { age } from './time.ts';

export const renderLiveRequests = (requests: readonly LiveRequest[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'REQUEST', cell: ({ id }) => id },
      { title: 'AGE', cell: ({ received_at }) => age(received_at, now) },
      { title: 'STATE', cell: ({ state }) => state },
      { title: 'USER', cell: ({ user, team }) => `${user}@${team}`, shrinkTo: 8 },
      { title: 'SERVICE', cell: ({ service_team, service }) => `${service_team}/${service}`, shrinkTo: 8 },
      { title: 'PLUGIN', cell: ({ plugin }) => plugin, shrinkTo: 8 },
      { title: 'WORKERS', cell: ({ workers }) => workers.join(','), shrinkTo: 8 },
      { title: 'BYTES', cell: ({ bytes }) => String(bytes) },
    ],
    requests,
    columns,
    paint,
  );
