import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { renderQueue } from '../../../src/cli/render/queue-table.ts';
import { widthOf, withWidths } from '../../../src/kit/width.ts';
import { finishedView, jobView } from './views.ts';

const idle = { running: 0, queued: 0, slots: 1, paused: false, draining: false };
const rowOf = (table: string, id: number) => table.split('\n').find((line) => line.startsWith(`${id} `)) ?? '';

describe('the queue', () => {
  it('the queue’s table shows a deferred job as queued, with the reason', () => {
    const table = renderQueue(
      [jobView({ deferred: true, reason: 'agent lock held', command: 'puppet agent' })],
      idle,
      null,
    );
    expect(rowOf(table, 1)).toMatch(/^1 {4}queued .* puppet agent \(deferred: agent lock held\)$/);
  });

  it('the queue’s table keeps the reason and cuts the command where both do not fit', () => {
    const job = jobView({ deferred: true, reason: 'locked', command: 'x'.repeat(300) });
    const row = rowOf(renderQueue([job], idle, 100), 1);
    expect(row).toMatch(/x… \(deferred: locked\)$/);
    expect(widthOf(row)).toBe(100);
  });

  it.each([80, 100, 132, 200])('the queue’s table fits %d columns, with every column', async (columns) => {
    const jobs = [
      finishedView({ id: 12, command: `tar ${'ä'.repeat(200)}`, output: '/var/lib/triggerd/jobs/12/output' }),
      jobView({ id: 13, state: 'running', command: '測試'.repeat(80), output: '/var/lib/triggerd/jobs/13/output' }),
    ];
    const lines = (await withWidths(() => renderQueue(jobs, idle, columns))).split('\n');
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    expect(lines[2]).toMatch(/jobs\/12\/output +0 +0\.10\/0\.00\/0\.00 tar ä+…$/);
  });

  it.each(['👩‍👩‍👧‍👦.log', '🇩🇪🇫🇷.log', 'e\u0301te\u0301.log', '❤️.log', '각.log', '⌚.log'])(
    'the queue’s table has aligned columns with the output %s',
    async (output) => {
      const wide = { running: 0, queued: 0, slots: 1, paused: false, draining: false };
      const jobs = [
        finishedView({ id: 1, command: 'x', output }),
        finishedView({ id: 2, command: 'x', output: 'plain' }),
      ];
      const lines = (await withWidths(() => renderQueue(jobs, wide, 120))).split('\n').slice(1, 3);
      const [first, second] = lines.map((line) => stringWidth(line));
      expect(first).toBe(second);
    },
  );

  it('the queue’s table says that the queue is paused, after the columns of tsp', () => {
    expect(renderQueue([], { ...idle, paused: true }, 80)).toMatch(/Command \[run=0\/1\] paused$/);
  });

  it('the queue’s table cuts nothing outside of a terminal', () => {
    const command = 'x'.repeat(500);
    expect(renderQueue([jobView({ command })], idle, null)).toContain(command);
  });

  it('the queue’s table shows control characters, and nobody can forge a row', () => {
    const table = renderQueue([jobView({ label: 'a\n99   running', command: '\u001b[2Jx\u202e\u2028' })], idle, null);
    expect(table.split('\n')).toHaveLength(2);
    expect(table).toContain('[a\\n99   running]\\e[2Jx\\u{202e}\\u{2028}');
  });

  it('the queue’s table shows what wait exits with where the job has no exit code of its own', () => {
    const killed = finishedView({ result: 'killed', exit_code: null, signal: 'SIGTERM', wait_exit_code: 143 });
    expect(rowOf(renderQueue([killed], idle, null), 1)).toMatch(/output 143 {6}0\.10/);
  });

  it('the queue’s table shows running jobs, then queued ones, then ended ones, each oldest first', () => {
    const jobs = [
      finishedView({ id: 1 }),
      finishedView({ id: 2 }),
      jobView({ id: 5 }),
      jobView({ id: 4, state: 'running' }),
      jobView({ id: 3 }),
    ];
    const ids = renderQueue(jobs, idle, null)
      .split('\n')
      .slice(1)
      .map((line) => Number.parseInt(line, 10));
    expect(ids).toEqual([4, 5, 3, 1, 2]);
  });

  it('the queue’s table has neither file nor times for a skipped job, and says why it was skipped', () => {
    const row = rowOf(renderQueue([jobView({ state: 'skipped', reason: 'removed' })], idle, null), 1);
    expect(row).toMatch(/^1 {4}skipped {4}\(no output\) {34,}true \(skipped: removed\)$/);
  });
});
