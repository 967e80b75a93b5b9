import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { serveRoutes } from '../../../src/adapters/http/serve-routes.ts';
import { controlRoutes } from '../../../src/api/control-routes.ts';
import type { ApiServices } from '../../../src/api/services/services.ts';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder, temporaryJournal } from '../../support/journal.ts';
import { heldRunner, queuesOf } from '../../support/queues.ts';
import { trigger } from './trigger.ts';

/** The real API on a real journal; nothing runs. */
const serveQueues = async () => {
  const folder = temporaryFolder('/dev/shm');
  const queues = queuesOf({ journal: temporaryJournal(folder).journal, runner: heldRunner() });
  const app = serveRoutes(controlRoutes({ queues } as ApiServices), (error) => expect.fail(String(error)));
  onTestFinished(() => app.close());
  const path = join(folder, 'socket');
  await app.listen({ path });
  return { queues, at: { env: { TRIGGERD_SOCKET: path } } };
};

it('trigger queue shows 18 jobs of 3.8 MB', async () => {
  const { queues, at } = await serveQueues();
  for (let i = 0; i < 18; i += 1)
    queues.add(jobRequest({ argv: Array.from({ length: 29 }, () => 'x'.repeat(131_000)) }));
  const human = await trigger(['queue'], at);
  expect([human.code, human.stderr, human.stdout.split('\n').length]).toEqual([0, '', 20]);
  expect(Math.max(...human.stdout.split('\n').map((line) => line.length))).toBeLessThan(1200);
  const json = await trigger(['queue', '--json'], at);
  const jobs: { command: string }[] = JSON.parse(json.stdout);
  expect([json.code, jobs.map(({ command }) => command.length)]).toEqual([0, Array.from({ length: 18 }, () => 4097)]);
  expect((await trigger(['queue', 'info', '3'], at)).stdout.length).toBeGreaterThan(29 * 131_000);
});

it('trigger queue shows the head of a very long queue, and with --json all of it, oldest first', async () => {
  const { queues, at } = await serveQueues();
  for (let i = 1; i <= 3000; i += 1) queues.add(jobRequest({ argv: ['true', String(i)] }));
  queues.makeUrgent(3000);
  queues.swap(1, 2);
  const human = (await trigger(['queue'], at)).stdout.trimEnd().split('\n');
  expect(human.slice(1, 4).map((line) => line.slice(0, 5))).toEqual(['3000 ', '2    ', '1    ']);
  expect([human.length, human.at(-1)]).toEqual([1002, '… and 2,000 more queued']);
  const { stdout } = await trigger(['queue', '--json', '--queue', 'default'], at);
  const ids = (JSON.parse(stdout) as { id: number }[]).map(({ id }) => id);
  expect(ids).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
});
