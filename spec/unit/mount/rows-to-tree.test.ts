import { expect, it } from 'vitest';
import { treeOfRows } from '../../../src/mount/tree.ts';
import type { DefinitionRow } from '../../../src/registry/rows.ts';

const made = { description: '', owner: 'hp', created: '2026-01-02T03:04:05.000Z', updated: '2026-01-02T03:04:05.000Z' };
const directories = [{ id: 1, path: '/a', mode: '0775', ...made }];
const row: DefinitionRow = {
  ...{
    id: 2,
    name: 't',
    path: '/a/t',
    plugin: 'log/log',
    service: 's',
    args: {},
    hits: 0,
    visibility: 'local',
    ...made,
  },
  ...{ framing: 'write', delivery: 'async', durable: true, max_message: 100, mode: '0640', timeout: '1m30s' },
  deadline: '1h',
  partial: 'send',
};

it('rows of the registry become durations in milliseconds, modes in bits, and directories by number', () => {
  expect(treeOfRows('team1', directories, [row]).definitions).toMatchObject([
    { parent: 1, name: 't', mode: 0o640, timeout_ms: 90_000, deadline_ms: 3_600_000, partial: 'send' },
  ]);
});

it('rows of a broker without deadlines and partial messages are accepted', () => {
  const { deadline: _deadline, partial: _partial, ...before } = row;
  const [definition] = treeOfRows('team1', directories, [before as DefinitionRow]).definitions;
  expect(definition).toMatchObject({ timeout_ms: 90_000, deadline_ms: null, partial: null });
});
