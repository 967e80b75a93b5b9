import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/journal.ts';
import { createNode, root } from '../support/node.ts';
import { announced } from '../support/random.ts';
import { runPlugin, shippedPlugin } from '../support/shipped-plugins.ts';
import { until } from '../support/wait.ts';

const kill = (args: Record<string, string>, env: Record<string, string> = {}) =>
  runPlugin('process/kill', { args, env });

/** What a careless reading takes for 1, 2 or −1. */
const spellings = (pid: number): string[] => [
  `0${pid}`,
  `+${pid}`,
  ` ${pid}`,
  `${pid} `,
  `${pid}\\n`,
  `\\t${pid}`,
  `${pid}.0`,
  `${pid}e0`,
  `0x${pid}`,
  `0b${pid.toString(2)}`,
  `${pid}_0`,
  `-${pid}`,
  String.fromCodePoint(0xff10 + pid),
  String.fromCodePoint(0x660 + pid),
  `${pid};1`,
  `${pid} 1`,
  String(2 ** 32 + pid),
  String(2n ** 64n + BigInt(pid)),
  String(2 ** 22 + pid),
];

describe('process/kill', () => {
  it.runIf(process.getuid?.() === 0)(
    'no spelling of a number makes process/kill reach process 1, a foreign process or all, with or without the manifest',
    async () => {
      const random = announced('numbers for process/kill');
      const random64 = Array.from({ length: 60 }, () =>
        String(BigInt(random.between(1, 2 ** 31)) * 2n ** BigInt(random.between(0, 40)) + BigInt(random.between(0, 3))),
      ).filter((value) => Number(value) > 4_194_304);
      const values = [1, 2].flatMap(spellings).concat(['-1', '0', '', '4294967295', '18446744073709551615'], random64);
      const file = join(temporaryFolder(), 'values');
      writeFileSync(file, values.map((value) => `${value}\n`).join(''));
      const script = join(root, 'spec/fixtures/plugins/kill-in-namespace.sh');
      const { executable } = shippedPlugin('process/kill');
      const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child', 'sh', script, executable, file];
      const { stdout } = await execa('unshare', unshare);
      const lines = stdout.split('\n');
      expect(lines).toEqual(values.map((value) => `2 hit=0 canary=yes ${value}`));
      for (const value of values)
        await expect(kill({ pid: value.replaceAll('\\n', '\n').replaceAll('\\t', '\t') })).rejects.toThrow(
          /must be a whole number/,
        );
    },
  );

  it('process/kill treats a thread of a process that it may signal as that process', async () => {
    const threads = readdirSync('/proc/self/task').filter((thread) => thread !== String(process.pid));
    expect(threads).not.toEqual([]);
    // A signal that does no harm where this fails.
    expect(await kill({ pid: threads[0] ?? '', signal: 'CONT' })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`process ${process.pid} is never sent a signal`),
    });
  });

  it('process/kill treats a thread of another process as no process', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1e6)']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const thread = readdirSync(`/proc/${child.pid}/task`).find((id) => id !== String(child.pid)) ?? '';
    expect(await kill({ pid: thread })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`${thread} is a thread of process ${child.pid}`),
    });
    expect(child.signalCode).toBeNull();
  });

  it('process/kill leaves the daemon and its runners alone, by number and by name; jobs know where etcd is', async () => {
    const node = createNode({ name: 'kept', etcd: ['http://127.0.0.1:1', 'http://[::1]:3'] });
    onTestFinished(() => node.remove());
    await node.start();
    const file = join(node.dir, 'said');
    await node.trigger('queue', 'add', '--', 'sh', '-c', `echo "[$TRIGGERD_ETCD]" > ${file}; exec sleep 1000`);
    await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith(']\n'), 'the job');
    expect(readFileSync(file, 'utf8')).toBe('[127.0.0.1:1 [::1]:3]\n');
    const runners = childrenOf(node.pid()).filter((pid) =>
      wordsOf(pid).some((word) => word.endsWith('programs/runner.js')),
    );
    expect(runners).not.toEqual([]);
    for (const pid of [node.pid(), ...runners])
      expect(await kill({ pid: String(pid), signal: 'CONT' })).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('is never sent a signal: it is process 1, triggerd'),
      });
    const name = readFileSync(`/proc/${node.pid()}/comm`, 'utf8').trim();
    const { stdout } = await kill({ name }, { TRIGGERD_NOOP: '1' });
    for (const pid of [node.pid(), ...runners]) expect(stdout).not.toContain(`to ${pid} `);
    await node.trigger('queue', 'kill', '1');
  });

  it('process/kill recognizes a process by its start time where the kernel has no process descriptors', async () => {
    const child = spawn('sleep', ['1000']);
    onTestFinished(() => void child.kill('SIGKILL'));
    const { executable } = shippedPlugin('process/kill');
    // seccomp by hand would need a compiler; the numbers are the plugin's own constants.
    const text = readFileSync(executable, 'utf8').replace('PIDFD_OPEN => 434', 'PIDFD_OPEN => 999_999');
    const copy = join(temporaryFolder(), 'kill');
    writeFileSync(copy, text, { mode: 0o755 });
    const env = { TRIGGER_ARG_PID: String(child.pid), TRIGGER_ARG_SIGNAL: 'TERM', TRIGGERD_NOOP: '0' };
    expect((await execa(copy, { env })).stdout).toBe(`Sent TERM to ${child.pid} (sleep)`);
    expect(await until(() => child.signalCode, 'its end')).toBe('SIGTERM');
  });
});

const wordsOf = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
