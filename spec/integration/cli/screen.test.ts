import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openScreen, type Screen } from '../../support/screen.ts';
import { type StubDaemon, startStubDaemon } from '../../support/stub-daemon.ts';
import { until } from '../../support/wait.ts';
import { finishedView, firingView, jobView, nodeView, queueView } from '../../unit/cli/views.ts';
import { binary } from './trigger.ts';

const long = 'word '.repeat(60);
let shown = 0;
let daemon: StubDaemon;
let screen: Screen;
afterEach(async () => {
  await screen.close();
  await daemon.close();
});

const open = async (argv: readonly string[], env: Record<string, string> = {}): Promise<void> => {
  daemon = await startStubDaemon({
    'GET /v1/queues': () => [queueView({ running: 1 })],
    'GET /v1/jobs': () => {
      shown += 1;
      return [
        jobView({ id: 100_000 + shown, state: 'running', command: long }),
        finishedView({ id: 7, command: long }),
      ];
    },
    'GET /v1/nodes': () => [nodeView({ node: `${'n'.repeat(60)}.${'n'.repeat(40)}` }), nodeView({ node: 'web01' })],
    'GET /v1/firings': () => [firingView({ trigger: long })],
  });
  const PATH = `${dirname(binary)}:${process.env['PATH'] ?? ''}`;
  screen = await openScreen(argv, { env: { PATH, TRIGGERD_SOCKET: daemon.socket, ...env } });
};

describe('watch -n 1 trigger queue', () => {
  it('watch -n 1 trigger queue fits 80 columns, and never shows less than the whole table', async () => {
    shown = 0;
    await open(['watch', '-n', '1', 'trigger', 'queue']);
    const rows = async () => (await screen.lines()).slice(2).filter((line) => line !== '');
    // Drawn bit by bit, once.
    await until(async () => (await rows())[2]?.endsWith('…'), 'the first table');
    const seen = new Set<string>();
    await until(async () => {
      const [head, running, ended, ...rest] = await rows();
      expect([head, rest]).toEqual([expect.stringMatching(/^ID +State +Output .*Command \[run=1\/1\]$/), []]);
      expect(running).toMatch(/^100\d{3} +running .*word.*…$/);
      expect(ended).toMatch(/^7 +finished .*word.*…$/);
      seen.add(running ?? '');
      return seen.size >= 3;
    }, 'three tables');
  });
});

describe('colours', () => {
  const green = '\u001b[32m';
  const shownWith = async (env: Record<string, string>, ...args: string[]): Promise<string> => {
    await open(['trigger', 'nodes', ...args], env);
    await until(async () => (await screen.lines()).some((line) => line.includes('web01')), 'the table');
    return (await screen.lines({ colors: true })).join('\n');
  };

  it('a terminal gets colours', async () => expect(await shownWith({})).toContain(green));
  it('$NO_COLOR turns colours off', async () => expect(await shownWith({ NO_COLOR: '1' })).not.toContain(green));
  it('--no-color turns colours off', async () => expect(await shownWith({}, '--no-color')).not.toContain(green));
  it('tables fit the terminal', async () => {
    const lines = (await shownWith({ NO_COLOR: '1' })).split('\n');
    expect(lines.find((line) => line.startsWith('nnn'))?.length).toBeLessThanOrEqual(80);
  });
});
