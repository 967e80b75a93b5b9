/** The documentation's walk-through: a worker, a service, the worker started, a request by flag and by stdin. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { createNode } from '../support/node.ts';
import { type ServicesSite, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';
import { type WorkerProcess, workerProcess } from '../support/worker-process.ts';

let site: ServicesSite;
beforeAll(async () => {
  // A pause of seconds loses nobody, and two heartbeats are not waited for too long.
  site = await startSite({ heartbeat: '1500ms' });
});
afterAll(() => site?.remove());

const column = async (show: string, name: string): Promise<unknown> => {
  const { stdout } = await site.run('triggerfs-cli', ['-json', '-c', show]);
  return (JSON.parse(stdout) as Record<string, unknown>[])[0]?.[name];
};

it('the walk-through of the services documentation works as printed', async () => {
  // “Workers”
  const token = await site.addWorker('demo01');
  expect(await column('show workers', 'state')).toBe('DISCONNECTED');

  // “Services”
  const attached = await site.run('triggerfs-cli', [
    '-c',
    'set services name demoservice',
    '-c',
    'set services demoservice workers add demo01',
  ]);
  expect(attached.exitCode).toBe(0);
  expect(await column('show services', 'workers')).toEqual(['demo01']);

  // “Start the worker”
  const worker: WorkerProcess = workerProcess(site.brokers, { token });
  await worker.start('-debug', 'true');
  await worker.says('received HEARTBEAT', 2);
  const [, ...lines] = worker.lines();
  expect(lines.slice(0, 7)).toEqual([
    `I: connecting to broker at ${site.brokers[0]?.endpoint}...`,
    'I: trying to connect recv socket to broker',
    'I: trying to connect send socket to broker',
    'I: received BROKER_ACCEPTED from broker for worker socket - Connected',
    'I: Found service demoservice. Announcing it to broker.',
    'I: received HEARTBEAT for worker socket from broker.',
    'I: received HEARTBEAT for worker socket from broker.',
  ]);
  await until(async () => (await column('show workers', 'state')) === 'ONLINE', 'the worker to be shown as online');

  // A request by flag, and by stdin
  const flags = ['-service', 'demoservice', '-plugin', 'command/command', '-timeout', '2m'];
  const byFlag = await site.run('triggerfs-client', [...flags, '-command', 'uptime']);
  const byStdin = await site.run('triggerfs-client', flags, 'uptime\n');
  for (const { stdout, stderr, exitCode } of [byFlag, byStdin]) {
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout).toMatch(
      /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d Sending message to service demoservice \(roundrobin\)\n\[command\/command@demo01\] .*load average: .*\n\nExit code: 0\nTotal messages: 1\nTime ran: [\d.]+m?s/,
    );
  }

  // A worker's identity is a service, too; the client exits as the plugin does.
  const direct = await site.run('triggerfs-client', ['-service', 'demo01', '-plugin', 'command', '-command', 'exit 7']);
  expect(direct.stdout).toMatch(/^[\d/]+ [\d:]+ Sending message to service demo01\n/);
  expect(direct.exitCode).toBe(7);
  const console = ['-c', "request demo01 plugin command command 'echo hello; exit 7'"];
  const asked = await site.run('triggerfs-cli', console);
  expect([asked.exitCode, asked.stdout]).toMatchObject([
    7,
    expect.stringContaining('[command/command@demo01] hello\n'),
  ]);

  // What became of them is kept.
  await until(async () => (await column('show history', 'command')) === 'echo hello; exit 7', 'the request’s record');
  const id = String(await column('show history', 'id'));
  const page = (await site.brokers[0]?.node.trigger('history', id))?.stdout;
  expect(page).toMatch(/^Request: +\S+\nService: +team1\/demo01\n/);
  expect(page).toMatch(/^Worker: demo01 on .*^Result: failed, exit 7$.*^Output: 6 bytes\n {2}hello$/ms);

  // Attached while it runs: nobody restarts it.
  const later = ['set services name later', 'set services later workers add demo01'].flatMap((each) => ['-c', each]);
  expect(await site.run('triggerfs-cli', later)).toMatchObject({ exitCode: 0 });
  await worker.says('Found service later. Announcing it to broker.');
  const again = ['-service', 'later', '-plugin', 'command', '-command', 'echo later'];
  expect((await site.run('triggerfs-client', again)).stdout).toContain('@demo01] later\n');

  worker.signal('SIGTERM');
  expect(await worker.ended()).toBe(0);
  await until(async () => (await column('show workers', 'state')) === 'DISCONNECTED', 'the worker to be shown as gone');
  const gone = await site.run('triggerfs-client', again);
  expect(gone).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('later') });
});

it('a host that runs triggerd needs no second daemon: triggerd is the worker, and finds the brokers in etcd', async () => {
  const token = await site.addWorker('node01');
  const node = createNode({
    name: 'node01',
    etcd: [site.etcd.endpoint],
    config: `[workers]\nallow = ["command"]\n[workers.team1.node01]\ntoken = "${token}"\n`,
  });
  onTestFinished(() => node.remove());
  await node.start();
  await until(() => node.log().some(({ msg }) => msg.endsWith('- Connected')), 'the worker to be connected');
  const ask = (command: string) =>
    site.run('triggerfs-client', ['-service', 'node01', '-plugin', 'command', '-command', command]);
  expect((await ask('echo $TRIGGERD_NODE $TRIGGERD_SOURCE')).stdout).toContain(
    '[command/command@node01] node01 request\n',
  );
  const recorded = await until(async () => {
    const jobs = await node.json<JobView[]>('queue', '--queue', 'requests');
    return jobs.every(({ state }) => state === 'finished') && jobs;
  }, 'the end of its job');
  expect(recorded).toMatchObject([{ source: 'request' }]);

  // What runs may finish.
  const asked = ask(`touch ${node.dir}/begun; sleep 0.5; echo finished`);
  await until(() => existsSync(join(node.dir, 'begun')), 'the request to run');
  expect(await node.stop()).toBe(0);
  expect(await asked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('@node01] finished\n') });
});
