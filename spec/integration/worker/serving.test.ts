import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/bus.ts';
import { liveClient, startLiveWorker } from '../../support/live-worker.ts';
import { processesWith } from '../../support/processes.ts';
import { writePlugin } from '../../support/requests.ts';
import { until } from '../../support/wait.ts';

const startBroker = async (options: Parameters<typeof startTestBroker>[0] = {}): Promise<TestBroker> => {
  const at = await startTestBroker({ drainMs: 200, ...options });
  at.registry.worker('team1', 'demo01').service('team1', 'demo', ['demo01']);
  onTestFinished(() => at.broker.stop());
  return at;
};

const textOf = async (lines: AsyncIterable<{ readonly line: string }>): Promise<string[]> => {
  const texts: string[] = [];
  for await (const { line } of lines) texts.push(line);
  return texts;
};

describe('a worker behind a broker', () => {
  it('a worker behind a broker answers with a real plugin’s output and exit code', async () => {
    const at = await startBroker();
    const { folder, serves } = await startLiveWorker([at.address]);
    writePlugin(folder, 'greet', 'read name; echo "hello $name"; echo oops >&2; exit 3', '');
    await serves();
    const client = await liveClient(at.address);
    const asked = client.request({ service: 'demo', plugin: 'greet', payload: 'world\n' });
    expect((await textOf(asked.lines)).sort()).toEqual(['hello world', 'oops']);
    expect(await asked.result).toMatchObject({ exitCode: 3, legs: [{ worker: 'demo01' }] });
  });

  it('a worker behind a broker delivers large output to a slow client without losing a byte', async () => {
    const at = await startBroker();
    const { folder, serves } = await startLiveWorker([at.address]);
    writePlugin(folder, 'much', 'seq 1 150000', '');
    await serves();
    const client = await liveClient(at.address);
    const hash = createHash('sha256');
    let bytes = 0;
    const asked = client.request({ service: 'demo', plugin: 'much' });
    for await (const chunk of asked.output) {
      hash.update(chunk.bytes);
      bytes += chunk.bytes.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const wanted = createHash('sha256');
    for (let number = 1; number <= 150_000; number++) wanted.update(`${number}\n`);
    expect(hash.digest('hex')).toBe(wanted.digest('hex'));
    expect(bytes).toBe(938_895);
    expect(await asked.result).toMatchObject({ exitCode: 0 });
  });

  it('a worker behind a broker announces new attachments without a restart', async () => {
    const at = await startBroker();
    const { folder, serves, told } = await startLiveWorker([at.address]);
    writePlugin(folder, 'plain', 'echo here', '');
    await serves();
    await told('announcing');
    at.registry.service('team1', 'later', ['demo01']);
    at.registry.changed();
    expect(await told('announcing', 2)).toMatchObject({ service: 'later' });
    const client = await liveClient(at.address);
    const asked = client.request({ service: 'later', plugin: 'plain' });
    expect(await textOf(asked.lines)).toEqual(['here']);
  });

  it('a worker behind a broker kills every process that a cancelled request has started', async () => {
    const mark = `987.${process.pid}`;
    const at = await startBroker();
    const { folder, serves } = await startLiveWorker([at.address]);
    writePlugin(folder, 'long', `sleep ${mark} & echo on; wait`, '');
    await serves();
    const client = await liveClient(at.address);
    const cancel = new AbortController();
    const asked = client.request({ service: 'demo', plugin: 'long', signal: cancel.signal });
    for await (const { line } of asked.lines) {
      expect(line).toBe('on');
      await until(() => processesWith(`sleep ${mark}`).length === 1, 'its process');
      cancel.abort();
    }
    expect(await asked.result).toMatchObject({ legs: [{ result: 'killed', reason: 'cancelled by user1@team1' }] });
    await until(() => processesWith(`sleep ${mark}`).length === 0, 'its process to be gone');
  });

  it.each([
    ['command/nope', 'plugin-not-found'],
    ['../greet', 'plugin-name-invalid'],
  ])('a worker behind a broker says why it does not run %s', async (plugin, code) => {
    const at = await startBroker();
    const { serves } = await startLiveWorker([at.address]);
    await serves();
    const client = await liveClient(at.address);
    const asked = async () => client.request({ service: 'demo', plugin, output: 'discard' }).result;
    await expect(asked()).rejects.toMatchObject({ code });
  });

  it('a worker behind a broker says that it may not run a plugin', async () => {
    const at = await startBroker();
    const { folder, serves } = await startLiveWorker([at.address], {
      whyNotAllowed: (plugin) => (plugin === 'plain' ? undefined : 'it is not in its [workers] allow'),
    });
    writePlugin(folder, 'secret', 'echo no', '');
    await serves();
    const client = await liveClient(at.address);
    const asked = client.request({ service: 'demo', plugin: 'secret', output: 'discard' });
    await expect(asked.result).rejects.toMatchObject({ code: 'plugin-not-allowed' });
  });
});

describe('a worker that the broker does not want', () => {
  it('a worker that the broker refuses is told why', async () => {
    const at = await startBroker();
    const { told } = await startLiveWorker([at.address], { token: 'wrong' });
    expect(await told('refused')).toMatchObject({ refusal: { code: 'worker-refused' } });
  });

  it('a worker of an identity that is in use does not disturb the first one', async () => {
    const at = await startBroker();
    const first = await startLiveWorker([at.address]);
    await first.serves();
    const second = await startLiveWorker([at.address]);
    expect(await second.told('refused')).toMatchObject({ refusal: { code: 'worker-refused' } });
    expect(first.worker.isServing).toBe(true);
  });
});
