import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/bus.ts';
import { liveClient } from '../../support/live-worker.ts';
import { workerProcess } from '../../support/worker-process.ts';

let at: TestBroker;
beforeAll(async () => {
  at = await startTestBroker({});
  at.registry.worker('team1', 'demo01').service('team1', 'demoservice', ['demo01']);
});
afterAll(() => at.broker.stop());

it('chain asks a service as part of its own chain, prints the answer and ends with its exit code', async () => {
  const worker = workerProcess([at.address]);
  const config = readFileSync(worker.configFile, 'utf8');
  writeFileSync(
    worker.configFile,
    config.replace('[main]\n', '[main]\nteam = "team1"\nidentity = "hp"\nsecret = "secret"\n'),
  );
  await worker.start();
  await worker.says('Found service demoservice');
  const client = await liveClient(at.address);
  const asked = client.request({
    service: 'demo01',
    plugin: 'chain',
    args: { service: 'demoservice', timeout: '20s' },
    payload: 'echo "hello from $TRIGGERD_WORKER"; cat "$TRIGGERD_CONTEXT"; exit 4',
  });
  const lines: string[] = [];
  for await (const { line } of asked.lines) lines.push(line);
  expect(await asked.result).toMatchObject({ exitCode: 4 });
  expect(lines).toContainEqual(expect.stringMatching(/demo01\] hello from team1\/demo01$/));
  const context = JSON.parse(lines.find((line) => line.includes('"format":1'))?.replace(/^\S+ /, '') ?? '');
  expect(context.ttl).toBe(6);
  expect(context.request.chain).toEqual([asked.id, context.request.id]);
});
