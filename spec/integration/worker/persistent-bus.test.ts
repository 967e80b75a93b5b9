import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestBroker } from '../../support/bus.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { liveClient, startLiveWorker } from '../../support/live-worker.ts';
import { root } from '../../support/node.ts';
import { until } from '../../support/wait.ts';

test('hundreds of requests over the bus to one process of echo/fast get their own answers, and the journal has them', async () => {
  const at = await startTestBroker();
  at.registry.worker('team1', 'demo01').service('team1', 'demoservice', ['demo01']);
  const folder = temporaryFolder();
  cpSync(join(root, 'plugins/echo'), join(folder, 'plugins/echo'), { recursive: true });
  const { serves, queues, journal } = await startLiveWorker([at.address], { folder, slots: 32 });
  await serves();
  const client = await liveClient(at.address);
  const ask = async (text: string): Promise<string> => {
    const request = client.request({ service: 'demoservice', plugin: 'echo/fast', args: { text }, payload: 'x' });
    const chunks: Buffer[] = [];
    for await (const { bytes } of request.output) chunks.push(Buffer.from(bytes));
    expect(await request.result).toMatchObject({ result: 'succeeded', exitCode: 0 });
    return Buffer.concat(chunks).toString();
  };
  const texts = Array.from({ length: 300 }, (_, index) => `request ${index}`);
  expect(await Promise.all(texts.map(ask))).toEqual(texts.map((text) => `${text}\nx`));
  // Of many in one moment the journal keeps the newest whole, and the ids of all.
  await until(
    () => queues.list({}).length > 0 && queues.list({}).every(({ outputIn }) => outputIn === 'journal'),
    'the journal',
  );
  expect(journal.list({}).at(-1)).toMatchObject({ state: 'finished', request: { plugin: 'echo/fast' } });
  expect(queues.summary()[0]).toMatchObject({ name: 'requests', running: 0 });
  await at.broker.stop();
});
