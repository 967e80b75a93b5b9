import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PluginView } from '../../src/api/contract/plugins.ts';
import type { QueueView } from '../../src/api/contract/queues.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** Every verb of `trigger queue` as a user types it, on a real daemon: task-spooler's behaviour, by its manual. */
describe('trigger queue', () => {
  let etcd: EtcdPlace;
  let node: TestNode;

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    node = createNode({
      name: 'lb01',
      etcd,
      config: '[queues.wide]\nslots = 2\n\n[jobs]\ngrace = "1s"\n',
    });
    await node.start();
  });
  afterAll(async () => {
    await node?.remove();
  });

  const q = (...args: string[]) => node.trigger('queue', ...args);
  const add = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await q('add', ...args);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    return stdout.trim();
  };
  const info = (id: string) => node.job(id);
  /** A job that stands in the slot until its gate is there. */
  const blocker = async (name: string): Promise<{ id: string; open(): void }> => {
    const gate = join(node.dir, name);
    const id = await add('--', 'sh', '-c', `until [ -e ${gate} ] || [ ! -d ${node.dir} ]; do sleep 0.02; done`);
    await until(async () => (await info(id)).state === 'running', `job ${id} to run`);
    return { id, open: () => writeFileSync(gate, '') };
  };

  it('add prints the ID; wait, cat and tail exit with the job’s exit code and print the output from the first byte', async () => {
    const id = await add('--label', 'first', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7');
    expect(id).toMatch(/^\d+$/);
    expect(await q('wait', id)).toMatchObject({ exitCode: 7 });
    const cat = await q('cat', id);
    expect(cat.exitCode).toBe(7);
    expect(cat.stdout.split('\n').sort()).toEqual(['err', 'out']);
    expect(await q('tail', id)).toMatchObject({ exitCode: 7 });
    const job = await info(id);
    expect(job).toMatchObject({
      state: 'finished',
      result: 'failed',
      exit_code: 7,
      label: 'first',
      source: 'cli',
      plugin: 'command',
    });
    expect(readFileSync(job.output ?? '', 'utf8')).toContain('out');
  });

  it('trigger queue prints task-spooler’s table', async () => {
    const { stdout } = await q();
    expect(stdout.split('\n')[0]).toMatch(/^ID +State +Output +E-Level +Times\(r\/u\/s\) +Command \[run=0\/1\]$/);
    expect(stdout).toMatch(/^1 +finished +\S+ +7 +\d+\.\d\d\/\d+\.\d\d\/\d+\.\d\d +\[first\]sh -c/m);
  });

  it('add starts a command’s words unchanged in the caller’s folder, without a shell or the daemon’s environment', async () => {
    const id = await add('--', 'printf', '%s|', 'a b', '$(id)', ';', '-n');
    await q('wait', id);
    expect((await q('cat', id)).stdout).toBe('a b|$(id)|;|-n|');
    const where = await add('--', 'pwd');
    await q('wait', where);
    expect((await q('cat', where)).stdout).toBe(process.cwd());
    const env = await add('--env', 'GIVEN=yes', '--', 'env');
    await q('wait', env);
    const names = (await q('cat', env)).stdout.split('\n').map((line) => line.split('=')[0]);
    expect(names).toContain('GIVEN');
    expect(names.filter((name) => /^(NODE|npm|VITEST)/.test(name ?? ''))).toEqual([]);
  });

  it('jobs run in the order of addition; urgent and swap change the order, and remove takes a job out', async () => {
    const first = await blocker('gate-order');
    const log = join(node.dir, 'order');
    const [a, b, c, d, e] = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => add('--', 'sh', '-c', `echo ${name} >> ${log}`)),
    );
    const order = async () => (await q()).stdout.match(/^\d+(?= +queued )/gm) ?? [];
    const before = await order();
    const [one = '', two = '', three = '', four = '', five = ''] = before;
    expect(new Set(before)).toEqual(new Set([a, b, c, d, e]));
    expect(await q('urgent', five)).toMatchObject({ exitCode: 0 });
    expect(await q('swap', one, four)).toMatchObject({ exitCode: 0 });
    expect(await q('remove', two)).toMatchObject({ exitCode: 0 });
    expect(await order()).toEqual([five, four, three, one]);
    expect(await info(two)).toMatchObject({ state: 'skipped', result: null });
    first.open();
    expect(await q('wait', one)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(4);
  });

  it('wait, cat and tail continue through a restart of the daemon with no byte twice or missing', async () => {
    const gate = join(node.dir, 'gate-restart');
    const lines = `i=0; until [ -e ${gate} ]; do i=$((i+1)); echo $i; sleep 0.1; done; exit 9`;
    const id = await add('--', 'sh', '-c', lines);
    await until(async () => (await info(id)).state === 'running', 'the job to run');
    const { output } = await info(id);
    const written = () => readFileSync(output ?? '', 'utf8');
    const following = [q('wait', id), q('cat', id), q('tail', '-n', '1000', id)];
    // What was there before and after an answer waits for more than an answer: the socket, and the daemon's ends of the three.
    await until(async () => {
      const before = connections(node.socket);
      await info(id);
      const lasting = connections(node.socket).filter((each) => before.includes(each));
      return lasting.length === 4;
    }, 'all to be connected, and answered');
    await node.stop();
    const before = written().length;
    await until(() => written().length > before + 10, 'lines without a daemon');
    await node.start();
    writeFileSync(gate, '');
    const [wait, cat, tail] = await Promise.all(following);
    expect(wait).toEqual({ exitCode: 9, stdout: '', stderr: '' });
    expect(cat).toEqual({ exitCode: 9, stdout: written().trimEnd(), stderr: '' });
    expect(tail).toEqual({ exitCode: 9, stdout: written().trimEnd(), stderr: '' });
  });

  it('--if-ok skips a job at once when the other one fails, and --wait exits as the job does', async () => {
    const first = await blocker('gate-if-ok');
    const failing = await add('--', 'sh', '-c', 'exit 4');
    const skipped = await add('--if-ok', failing, '--if-ok', first.id, '--', 'true');
    expect((await q()).stdout).toContain(`(if ${failing}, ${first.id} succeeds)`);
    const waiting = q('add', '--if-ok', first.id, '--wait', '--', 'sh', '-c', 'exit 5');
    first.open();
    expect(await waiting).toMatchObject({ exitCode: 5, stdout: expect.stringMatching(/^\d+$/) });
    expect(await q('wait', skipped)).toMatchObject({ exitCode: 1 });
    expect(await info(skipped)).toMatchObject({
      state: 'skipped',
      reason: `job ${failing} failed with exit code 4`,
      if_ok: [Number(failing), Number(first.id)],
    });
  });

  it('--stderr keeps stderr in a file of its own, and cat --stderr and tail --stderr print it', async () => {
    const id = await add('--stderr', '--', 'sh', '-c', 'echo one; echo two >&2; echo three; echo four >&2; exit 3');
    expect(await q('cat', id)).toEqual({ stdout: 'one\nthree', stderr: '', exitCode: 3 });
    expect(await q('cat', '--stderr', id)).toEqual({ stdout: 'two\nfour', stderr: '', exitCode: 3 });
    expect(await q('tail', '-n', '1', '--stderr', id)).toEqual({ stdout: 'four', stderr: '', exitCode: 3 });
    const job = await info(id);
    expect(await q('state', id)).toMatchObject({ stdout: 'finished', exitCode: 0 });
    expect(await q('output', id)).toMatchObject({ stdout: job.output, exitCode: 0 });
    expect(await q('output', '99999')).toMatchObject({ stdout: '', exitCode: 1 });
    expect(readFileSync(job.stderr ?? '', 'utf8')).toBe('two\nfour\n');
    expect(readFileSync(job.output ?? '', 'utf8')).toBe('one\nthree\n');
    const both = await add('--', 'true');
    await q('wait', both);
    expect(await q('cat', '--stderr', both)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('was added without --stderr'),
    });
  });

  it('--on-finish runs a program with id, exit code, output file and command before the next job', async () => {
    const told = join(node.dir, 'told');
    const program = join(node.dir, 'tell');
    writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$@" > ${told}\n`, { mode: 0o755 });
    const id = await add('--on-finish', program, '--', 'sh', '-c', 'exit 6');
    const next = await add('--', 'cat', told);
    await q('wait', next);
    const { output } = await info(id);
    expect((await q('cat', next)).stdout).toBe(`${id}|6|${output}|sh -c 'exit 6'|`);
    const [teller] = (await node.jobs()).filter((job) => job.tells_of === Number(id));
    expect(teller).toMatchObject({ state: 'finished', exit_code: 0 });
    expect((await q('info', String(teller?.id))).stdout).toMatch(new RegExp(`^Tells of: +job ${id}$`, 'm'));
  });

  it('info shows the pid of the job’s first process', async () => {
    const id = await add('--', 'sh', '-c', 'echo $$');
    await q('wait', id);
    const pid = (await q('cat', id)).stdout;
    expect((await info(id)).pid).toBe(Number(pid));
    expect((await q('info', id)).stdout).toMatch(new RegExp(`^Pid: +${pid}$`, 'm'));
  });

  it('--delay, --key and --unless-queued decide when a job starts and whether it is added', async () => {
    const first = await blocker('gate-key');
    const late = await add('--delay', '1h', '--key', 'reindex', '--', 'true');
    expect((await q()).stdout).toMatch(new RegExp(`^${late} +queued .*\\(not before \\d{4}-`, 'm'));
    const fresh = await add('--key', 'reindex', '--', 'echo', 'now');
    expect(await info(late)).toMatchObject({ state: 'skipped', reason: `replaced by job ${fresh}`, key: 'reindex' });
    expect(await add('--key', 'reindex', '--on-key', 'keep', '--', 'true')).toBe(fresh);
    expect(await add('--unless-queued', '--', 'echo', 'now')).toBe(fresh);
    expect(await q('add', '--on-key', 'keep', '--', 'true')).toMatchObject({ exitCode: 2 });
    expect((await q('info', late)).stdout).toMatch(/^Key: +reindex$/m);
    first.open();
    expect(await q('wait', fresh)).toMatchObject({ exitCode: 0 });
  });

  it('--after waits for another job, however it ended; --urgent goes first', async () => {
    const first = await blocker('gate-after');
    const failing = await add('--', 'false');
    const after = await add('--after', failing, '--queue', 'wide', '--', 'true');
    const urgent = await add('--urgent', '--', 'true');
    expect(await info(after)).toMatchObject({ state: 'queued', after: Number(failing) });
    first.open();
    await q('wait', after);
    const [failed, urgentJob, afterJob] = await Promise.all([info(failing), info(urgent), info(after)]);
    expect(Date.parse(urgentJob.started_at ?? '')).toBeLessThanOrEqual(Date.parse(failed.started_at ?? ''));
    expect(Date.parse(afterJob.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(failed.finished_at ?? ''));
  });

  it('a queue runs as many jobs at a time as it has slots', async () => {
    expect((await q('slots', '--queue', 'wide')).stdout).toBe('2');
    const gate = join(node.dir, 'gate-slots');
    const ids = await Promise.all(
      ['1', '2', '3'].map(() =>
        add('--queue', 'wide', '--', 'sh', '-c', `until [ -e ${gate} ] || [ ! -d ${node.dir} ]; do sleep 0.02; done`),
      ),
    );
    const states = async () => (await Promise.all(ids.map(info))).map((job) => job.state).sort();
    await until(async () => (await states()).join() === 'queued,running,running', 'two at a time');
    expect(await q('slots', '3', '--queue', 'wide')).toMatchObject({ exitCode: 0 });
    await until(async () => (await states()).join() === 'running,running,running', 'three at a time');
    writeFileSync(gate, '');
    await Promise.all(ids.map((id) => q('wait', id)));
  });

  it('kill and a timeout end the whole process tree', async () => {
    const marker = join(node.dir, 'child');
    const script = `trap '' TERM; (trap '' TERM; echo $$ > ${marker}; sleep 300) & wait; sleep 300`;
    const id = await add('--', 'sh', '-c', script);
    await until(() => existsSync(marker), 'the child');
    expect(await q('kill', id)).toMatchObject({ exitCode: 0 });
    expect((await q('wait', id)).exitCode).toBe(137);
    expect(await info(id)).toMatchObject({ state: 'finished', result: 'killed', signal: 'SIGKILL', exit_code: null });
    const late = await add('--timeout', '200ms', '--', 'sleep', '300');
    expect((await q('wait', late)).exitCode).toBe(124);
    expect(await info(late)).toMatchObject({ result: 'timed-out' });
  });

  it('a job that a signal killed exits with 128 and the signal’s number, as in a shell', async () => {
    const ids = await Promise.all(
      ['USR1', 'XCPU', 'SYS'].map((name) => add('--queue', 'wide', '--', 'sh', '-c', `kill -${name} $$`)),
    );
    const ends = await Promise.all(ids.map((id) => q('wait', id)));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([138, 152, 159]);
    expect(await info(ids[1] ?? '')).toMatchObject({ result: 'killed', signal: 'SIGXCPU', wait_exit_code: 152 });
  });

  it('retry makes a new job of one that has ended', async () => {
    const id = await add('--label', 'again', '--', 'true');
    await q('wait', id);
    const { stdout } = await q('retry', id);
    const again = stdout.trim();
    expect(Number(again)).toBeGreaterThan(Number(id));
    await q('wait', again);
    expect(await info(again)).toMatchObject({ label: 'again', result: 'succeeded' });
  });

  it('pause stops starting jobs, resume starts them again, and drain takes no new one', async () => {
    await q('pause');
    const id = await add('--', 'true');
    expect(await node.json<QueueView>('queue', 'pause')).toMatchObject({ paused: true, queued: 1 });
    expect(await q('wait', id, '--timeout', '100ms')).toMatchObject({ exitCode: 5 });
    await q('resume');
    expect(await q('drain', '--timeout', '2m')).toMatchObject({ exitCode: 0 });
    expect(await info(id)).toMatchObject({ state: 'finished' });
  });

  it('trigger queue says what cannot be done, and why', async () => {
    expect(await q('info', '9999')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('9999') });
    expect(await q('kill', '1')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('finished') });
    expect(await q('add', '--queue', 'nowhere', '--', 'true')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('nowhere'),
    });
    expect(await q('add', '--plugin', '../x')).toMatchObject({ exitCode: 2 });
    expect(await q('add', '--plugin', 'echo', '--arg', 'colour=red')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('colour'),
    });
    expect(await q('add')).toMatchObject({ exitCode: 2 });
    const missing = await add('--', '/no/such/program');
    expect((await q('wait', missing)).exitCode).toBe(127);
    expect(await info(missing)).toMatchObject({
      result: 'failed-to-start',
      reason: expect.stringContaining('/no/such/program'),
    });
  });

  it('clear deletes ended jobs with their files', async () => {
    const [old] = await node.jobs();
    expect(await q('clear')).toMatchObject({ exitCode: 0 });
    expect((await node.jobs()).filter((job) => job.queue === 'default')).toEqual([]);
    await until(() => !existsSync(old?.output ?? ''), 'the output file to go');
  });

  it('plugin list, info and test describe and try a plugin', async () => {
    const plugins = await node.json<PluginView[]>('plugin', 'list');
    expect(plugins.filter(({ allowed }) => allowed).map(({ name }) => name)).toEqual(['puppet']);
    expect(plugins.filter(({ problem }) => problem !== null)).toEqual([]);
    const tests = plugins.map(async ({ name }) => [name, await node.trigger('plugin', 'test', name)] as const);
    for (const [name, { exitCode, stdout }] of await Promise.all(tests))
      expect([name, exitCode, stdout]).toEqual([name, 0, stdout]);
    expect(await node.trigger('plugin', 'info', 'missing')).toMatchObject({ exitCode: 1 });
  });
});

/** The inodes of what is bound to this socket. */
const connections = (socket: string): string[] =>
  readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(` ${socket}`))
    .map((line) => line.split(/\s+/)[6] ?? '')
    .filter((inode) => inode !== '0'); // not accepted yet
