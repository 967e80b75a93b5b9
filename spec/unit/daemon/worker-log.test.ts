import { expect, it } from 'vitest';
import { createTriggerfsLog } from '../../../src/adapters/log/triggerfs-log.ts';
import { createWorkerLog } from '../../../src/daemon/compose/start-workers.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { WorkerNews } from '../../../src/worker/ports.ts';

const logged = (level = 'info') => {
  const lines: string[] = [];
  const log = createTriggerfsLog(level, (line) => lines.push(line));
  const tell = createWorkerLog(log);
  const at = { worker: 'team1/demo01', endpoint: 'tcp://b:5555' };
  return { lines, log, tell: (news: WorkerNews) => tell({ ...news, ...at }) };
};
const refused = (message: string): WorkerNews => ({
  kind: 'refused',
  refusal: { code: 'worker-refused', message, retry_after_ms: null },
  retryMs: 32_000,
});

it('the worker’s log has the lines of triggerFS, with their dates', () => {
  const { lines, tell } = logged('debug');
  tell({ kind: 'heartbeat' });
  expect(lines).toEqual([
    expect.stringMatching(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d I: received HEARTBEAT for worker socket from broker\.\n$/),
  ]);
});

it('the worker’s log reports a problem once, reports another one, and reports the first again after it was solved', () => {
  const { lines, tell } = logged();
  tell(refused('wrong token'));
  tell(refused('wrong token'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    / E: The broker at tcp:\/\/b:5555 refused the worker: wrong token \(.*\[workers\.team1\.demo01\]/,
  );
  tell({ kind: 'lost', reason: 'gone', wasServing: false });
  tell({ kind: 'lost', reason: 'gone', wasServing: false });
  tell({ kind: 'connected', broker: 'b' });
  tell({ kind: 'lost', reason: 'gone', wasServing: true });
  expect(lines.map((line) => line.slice(20, 22))).toEqual(['E:', 'W:', 'I:', 'W:']);
});

it('the worker’s log shows a broker’s message on one line, whatever it contains', () => {
  const { lines, tell } = logged();
  tell(refused('no\n2018/04/30 21:03:01 I: Connected\u001b[2J'));
  expect(lines.join('').split('\n')).toHaveLength(2);
  expect(lines[0]).toContain('no\\n2018/04/30 21:03:01 I: Connected\\e[2J');
});

it('the worker’s log shows errors by their message', () => {
  const { lines, log } = logged();
  log.error({ error: new TriggerdError('journal-failed', 'disk full') }, 'it failed');
  expect(lines[0]).toMatch(/ E: it failed \(disk full\)\n$/);
});

it('the worker’s log says why a broker does not answer, also where the reason is a question', () => {
  const { lines, tell } = logged();
  tell({ kind: 'lost', reason: 'is its key right?', wasServing: false });
  tell({ kind: 'lost', reason: 'gone', wasServing: false });
  expect(lines.map((line) => line.slice(20))).toEqual([
    'W: The broker at tcp://b:5555 does not answer, retrying: is its key right?\n',
    'W: The broker at tcp://b:5555 does not answer, retrying: gone\n',
  ]);
});
