import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderQueue } from '../../../src/cli/render/queue-table.ts';
import { until } from '../../support/wait.ts';
import { finishedView, jobView } from '../../unit/cli/views.ts';

const idle = { running: 1, queued: 0, slots: 1, paused: false, draining: false };
const rowOf = (table: string, id: number) => table.split('\n').find((line) => line.startsWith(`${id} `)) ?? '';

describe('beside the real tsp', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const tsp = (...args: string[]) => execFileSync('tsp', args, { env, cwd: folder, encoding: 'utf8' });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tsp-'));
    // A path as short as tsp expects it, or its own columns move.
    env = { PATH: process.env['PATH'] ?? '', TMPDIR: '.', TS_SOCKET: join(folder, 'socket') };
    tsp('true');
    tsp('-L', 'a label', 'sh', '-c', 'exit 3');
    await until(() => /^1 +finished/m.test(tsp()), 'tsp to have finished both jobs');
    tsp('sleep', '60');
    tsp('-L', 'x', 'ls', '/');
    await until(() => /^2 +running/m.test(tsp()), 'tsp to run the third');
    await until(() => Number(tsp('-p', '2')) > 0, 'tsp to know the third one’s process');
  });

  afterAll(() => {
    tsp('-k', '2');
    tsp('-K');
    // The server may be removing its socket at the same time.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  it('header and rows are the same as the real tsp’s to the letter', () => {
    const theirs = tsp();
    const output = (id: number) => rowOf(theirs, id).split(/\s+/)[2] ?? '';
    const times = (id: number) => {
      const [real, user, system] = (/(\d+\.\d+)\/(\d+\.\d+)\/(\d+\.\d+)/.exec(rowOf(theirs, id)) ?? [])
        .slice(1)
        .map(Number);
      return { real: real ?? -1, user: user ?? -1, system: system ?? -1 };
    };
    const ours = renderQueue(
      [
        finishedView({ id: 0, command: 'true', output: output(0), times: times(0) }),
        finishedView({
          id: 1,
          command: 'sh -c exit 3',
          label: 'a label',
          output: output(1),
          times: times(1),
          wait_exit_code: 3,
        }),
        jobView({ id: 2, state: 'running', command: 'sleep 60', output: output(2) }),
        jobView({ id: 3, command: 'ls /', label: 'x' }),
      ],
      idle,
      null,
    );
    expect(`${ours}\n`).toBe(theirs);
  });
});
