/** `trigger broker list`. */
import type { BrokerView } from '../../api/contract/brokers.ts';
import type { Canvas } from './firing.ts';
import { renderTable } from './table.ts';
import { age } from './time.ts';

export const renderBrokers = (brokers: readonly BrokerView[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'BROKER', cell: ({ id }) => id, shrinkTo: 8 },
      { title: 'ENDPOINT', cell: ({ endpoint }) => endpoint },
      // Whole or not at all: a key is for copying.
      { title: 'KEY', cell: ({ key }) => key },
      { title: 'UP', cell: ({ started_at }) => age(started_at, now) },
      { title: 'VERSION', cell: ({ version }) => version, shrinkTo: 5 },
    ],
    brokers,
    columns,
    paint,
  );
