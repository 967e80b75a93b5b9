import type { BrokerView, OwnBrokerView } from '../../api/contract/brokers.ts';
import { printing, type Verbs } from '../command.ts';
import type { Canvas } from '../render/firing.ts';
import { renderTable } from '../render/table.ts';
import { age } from '../render/time.ts';

const renderBrokers = (brokers: readonly BrokerView[], { columns, now, paint }: Canvas): string =>
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

export const verbs: Verbs = {
  key: {
    summary: 'print this broker’s public key',
    details: `
Clients and workers need this key as [main] broker_key: with it they verify that they speak to this broker. The key is no
secret. The daemon creates it at its first start as a broker, and keeps it with its secret half below [node] state_dir.`,
    examples: ['trigger broker key', 'trigger broker key --json | jq -r .endpoint'],
    define: printing('/v1/broker', ({ key }: OwnBrokerView) => key),
  },
  list: {
    summary: 'list the brokers that are up',
    details: `
Copy endpoint and key to [main] broker and broker_key; both can be lists, in the same order.`,
    examples: ['trigger broker list', "trigger broker list --json | jq -r '.[].endpoint'"],
    define: printing('/v1/brokers', renderBrokers),
  },
};
