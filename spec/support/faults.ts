import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

/** Breaks what a daemon stands on: its disk, its limits, its clock. Everything needs root, and is undone with the test. */

/** Before the daemon's first start. */
export const moveState = (node: { readonly configFile: string }, folder: string): void => {
  const config = readFileSync(node.configFile, 'utf8');
  writeFileSync(node.configFile, config.replace(/^state_dir = .*$/m, `state_dir = "${folder}"`));
};

/** The node's state goes to a small tmpfs of its own; unmounted after the test. Gives its folder. */
export const smallDisk = (node: { readonly configFile: string }, size: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  });
  moveState(node, folder);
  return folder;
};

/**
 * The node's state goes to an ext4 in a sparse file, which lies on a disk that can be filled: then what ext4 takes for space
 * can't be written, and whoever asks for it gets EIO.
 */
export const badDisk = (node: { readonly configFile: string }): { readonly fail: () => () => void } => {
  const scratch = smallDisk(node, '24m');
  const [image, folder] = [join(scratch, 'image'), mkdtempSync(join(tmpdir(), 'triggerd-ext4-'))];
  execFileSync('truncate', ['--size=256M', image]);
  // Without a journal: the kernel writes to that every five seconds, and when it can't, the disk is read-only for ever.
  execFileSync('mkfs.ext4', ['-q', '-F', '-O', '^has_journal', image]);
  execFileSync('mount', ['-o', 'loop,errors=continue', image, folder]);
  chmodSync(folder, 0o700);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  });
  moveState(node, folder);
  return { fail: () => fillDisk(scratch) };
};

/** Options of a mounted disk, e.g. `nr_inodes=12`. */
export const remount = (folder: string, options: string): void =>
  void execFileSync('mount', ['-o', `remount,${options}`, folder]);

export const inodesUsed = (folder: string): number =>
  Number(execFileSync('df', ['--output=iused', folder], { encoding: 'utf8' }).split('\n')[1]);

/** Gives the filler's remover. */
export const fillDisk = (folder: string): (() => void) => {
  const filler = `${folder}/filler`;
  // It fails when the disk is full, and that is what it is for.
  execFileSync('sh', [
    '-c',
    `dd if=/dev/zero of=${filler} bs=4k 2>/dev/null; dd if=/dev/zero bs=1 count=4096 >> ${filler} 2>/dev/null; true`,
  ]);
  return () => void execFileSync('rm', ['-f', filler]);
};

/** Of a process that runs. */
export const limitOpenFiles = (pid: number, limit: number): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);

/** Whether a tool is there; says so when it is not, because a test that is skipped in silence proves nothing. */
const available = (what: string, isThere: boolean): boolean => {
  if (!isThere) process.stderr.write(`${what} is missing: the tests that need it are SKIPPED\n`);
  return isThere;
};

const fakeTime =
  ['x86_64', 'aarch64']
    .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
    .find((file) => existsSync(file)) ?? '';
export const canFakeTime = available('libfaketime', fakeTime !== '');
export const canTrace = available('strace', spawnSync('strace', ['-V']).status === 0);

const wallClockOnly = { LD_PRELOAD: fakeTime, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' };

/** Environment of a process whose wall clock is off by `offset`, e.g. `+1h`; its monotonic clock is right. */
export const skewedClock = (offset: string): Record<string, string> => ({ ...wallClockOnly, FAKETIME: offset });

/** The same with an offset that is read from a file, again and again. */
export const jumpingClock = (file: string): Record<string, string> => ({
  ...wallClockOnly,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_NO_CACHE: '1',
});

/** The system calls of a process and its threads, as strace prints them, from when this resolves until `stop`. */
export const traced = async (pid: number, calls: string): Promise<{ stop(): Promise<string[]> }> => {
  const strace = spawn('strace', ['-f', '-y', '-s', '64', '-e', `trace=${calls}`, '-p', String(pid)]);
  let text = '';
  strace.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const over = new Promise((resolve) => strace.once('close', resolve));
  await until(() => text.includes('attached'), 'strace to attach');
  return {
    stop: async () => {
      strace.kill('SIGINT');
      await over;
      return text.split('\n');
    },
  };
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
