import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { curveKeyPair } from 'zeromq';
import type { RunningRequest } from '../../src/client/client.ts';
import { startTestBroker, type TestBroker } from '../support/bus.ts';
import { temporaryFolder } from '../support/journal.ts';
import { liveClient } from '../support/live-worker.ts';
import { root } from '../support/node.ts';
import { processesWith } from '../support/processes.ts';
import { writePlugin } from '../support/requests.ts';
import { until } from '../support/wait.ts';
import { type WorkerProcess, workerProcess } from '../support/worker-process.ts';

const startBroker = async (options: Parameters<typeof startTestBroker>[0] = {}): Promise<TestBroker> => {
  const started = await startTestBroker(options);
  started.registry.worker('team1', 'demo01').service('team1', 'demoservice', ['demo01']);
  return started;
};

let at: TestBroker;
beforeAll(async () => {
  at = await startBroker();
});
afterAll(() => at.broker.stop());

const connected = 'I: received BROKER_ACCEPTED from broker for worker socket - Connected';

/** Of this run of the tests: what another one has started on this machine is not looked at. */
const seconds = (number: number): string => `976.${number}${process.pid}`;

/** A worker whose plugins folder holds `wait`, which prints `begun` and ends when its folder holds `go`. */
const waitingWorker = (marker: string): { worker: WorkerProcess; go: () => void; runs: () => number } => {
  const folder = temporaryFolder();
  writePlugin(
    folder,
    'wait',
    `echo begun; echo x >> ${folder}/runs; sleep ${marker} & while [ ! -e ${folder}/go ]; do sleep 0.02; done; kill $!; echo done`,
  );
  return {
    worker: workerProcess([at.address], { plugins: join(folder, 'plugins') }),
    go: () => writeFileSync(join(folder, 'go'), ''),
    runs: () => (existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').length / 2 : 0),
  };
};

/** Asks the worker for its `wait`; resolves when that runs, and throws what keeps it from running. */
const askToWait = async (runs: () => number): Promise<RunningRequest> => {
  const client = await liveClient(at.address);
  const asked = client.request({ service: 'demo01', plugin: 'wait', output: 'discard' });
  const ended = asked.result.then((result) => {
    throw new Error(`the request has ended: ${JSON.stringify(result)}`);
  });
  await Promise.race([until(() => runs() === 1, 'the request to run'), ended]);
  return asked;
};

describe('triggerfs-worker', () => {
  it('triggerfs-worker prints the documented lines with -debug true', async () => {
    // Often enough to wait for two, and a pause of seconds still loses nobody.
    const { broker, address } = await startBroker({ limits: { heartbeatMs: 800 } });
    onTestFinished(() => broker.stop());
    const worker = workerProcess([address]);
    await worker.start('-debug', 'true');
    await worker.says('received HEARTBEAT', 2);
    const { endpoint } = address;
    const [jobs, ...documented] = worker.lines();
    expect(jobs).toBe(`I: Jobs of team1/demo01: trigger queue --queue requests --socket ${worker.socket}`);
    expect(documented.slice(0, 7)).toEqual([
      `I: connecting to broker at ${endpoint}...`,
      'I: trying to connect recv socket to broker',
      'I: trying to connect send socket to broker',
      connected,
      'I: Found service demoservice. Announcing it to broker.',
      'I: received HEARTBEAT for worker socket from broker.',
      'I: received HEARTBEAT for worker socket from broker.',
    ]);
    worker.signal('SIGTERM');
    expect(await worker.ended()).toBe(0);
  });

  it('triggerfs-worker prints only important lines without -debug, and shows its jobs on its own socket', async () => {
    const worker = workerProcess([at.address]);
    await worker.start();
    await worker.says('Found service demoservice');
    const client = await liveClient(at.address);
    const asked = client.request({
      service: 'demoservice',
      plugin: 'command/command',
      payload: 'echo $TRIGGERD_SOCKET; exit 4',
    });
    const texts: string[] = [];
    for await (const { line } of asked.lines) texts.push(line);
    expect(texts).toEqual([worker.socket]);
    expect(await asked.result).toMatchObject({ exitCode: 4 });
    const trigger = (...args: string[]) =>
      execa(join(root, 'bin/trigger'), [...args, '--socket', worker.socket], { reject: false });
    const listed = await trigger('queue', '--queue', 'requests', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([{ state: 'finished', exit_code: 4, source: 'request' }]);
    expect((await trigger('queue', 'cat', '1')).stdout).toBe(worker.socket);
    expect((await trigger('queue', 'info', '1')).stdout).toContain('user1@team1');
    expect((await trigger('events')).stdout).toContain('command');
    expect((await trigger('plugin', 'list')).stdout).toContain('monitor');
    expect(await trigger('status')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('this daemon has no etcd'),
    });
    expect(worker.lines()).toHaveLength(3);

    // Only one may use that folder.
    const flags = ['-config', worker.configFile, '-identity', 'demo01'];
    const env = { XDG_STATE_HOME: join(worker.folder, 'state') };
    const second = await execa(join(root, 'bin/triggerfs-worker'), flags, { reject: false, env });
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/pid \d+\) uses .*team1\.demo01/) });
  });

  it('triggerfs-worker says what is wrong with its token, a broker’s key or a broker’s address', async () => {
    const [away, stranger] = [
      { endpoint: 'tcp://127.0.0.1:1', key: curveKeyPair().publicKey },
      { endpoint: at.address.endpoint, key: curveKeyPair().publicKey },
    ];
    const worker = workerProcess([at.address, away, stranger], { token: 'wrong' });
    await worker.start();
    await worker.says(/^E: The broker at .* refused the worker: .*\[workers\.team1\.demo01\]/);
    await worker.says(/^W: The broker at tcp:\/\/127\.0\.0\.1:1 does not answer, retrying: nothing listens/);
    await worker.says(
      /^W: The broker at .* does not answer, retrying: .* did not take our encryption: is its key right\?/,
    );
  });

  it.each([
    [['-nope'], "unknown option '-nope'"],
    [['-identity', 'other'], 'there is no [workers.TEAM.other]'],
  ])('triggerfs-worker refuses %s', async (flags, message) => {
    const { configFile } = workerProcess([at.address]);
    const all = ['-config', configFile, '-identity', 'demo01', ...flags];
    const ended = await execa(join(root, 'bin/triggerfs-worker'), all, { reject: false });
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^triggerfs-worker: /);
    expect(ended.stderr).toContain(message);
  });
});

describe('a worker that stops', () => {
  it('a worker that stops finishes what runs, and takes no new request', async () => {
    const { worker, go, runs } = waitingWorker(seconds(1));
    await worker.start();
    await worker.says('Connected');
    const asked = await askToWait(runs);
    worker.signal('SIGTERM');
    await worker.says('Waiting for running requests');
    const client = await liveClient(at.address);
    const late = client.request({ service: 'demo01', plugin: 'wait', output: 'discard' });
    await expect(late.result).rejects.toMatchObject({ code: 'no-worker' });
    go();
    expect(await asked.result).toMatchObject({ exitCode: 0 });
    expect(await worker.ended()).toBe(0);
    expect(runs()).toBe(1);
  });

  it('a worker that stops ends immediately at the second signal, with the jobs that run', async () => {
    const { worker, runs } = waitingWorker(seconds(2));
    await worker.start();
    await worker.says('Connected');
    const asked = await askToWait(runs);
    const ending = asked.result.then(
      ({ legs }) => legs.map(({ result }) => result).join(),
      ({ code }: { code: string }) => code,
    );
    worker.signal('SIGINT');
    await worker.says('Waiting for running requests');
    worker.signal('SIGINT');
    expect(await worker.ended()).toBe(0);
    await until(() => processesWith(`sleep ${seconds(2)}`).length === 0, 'its processes to be gone');
    // It waits a second for the end of its processes, and they may take longer.
    expect(['interrupted', 'worker-lost']).toContain(await ending);
  });

  it('a request that kill -9 of its worker interrupted is ended by the next start, and never runs again', async () => {
    const { worker, runs } = waitingWorker(seconds(3));
    await worker.start();
    await worker.says('Connected');
    const asked = await askToWait(runs);
    const ending = asked.result.catch((error: { code: string }) => error);
    worker.signal('SIGKILL');
    await worker.ended();
    await worker.start();
    await until(() => processesWith(`sleep ${seconds(3)}`).length === 0, 'its processes to be gone');
    await worker.says('Connected', 2);
    expect(await ending).toMatchObject({ code: 'worker-lost' });
    const listed = await until(async () => {
      const args = ['queue', '--all', '--json', '--socket', worker.socket];
      const [job] = JSON.parse((await execa(join(root, 'bin/trigger'), args)).stdout);
      return job?.state === 'finished' && job;
    }, 'the end of its job');
    expect(listed).toMatchObject({ result: 'interrupted' });
    expect(runs()).toBe(1);
  });
});
