import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

/** Breaks what a daemon stands on: its disk, its limits, its clock. Everything needs root, and is undone with the test. */

/** Mounts a small tmpfs; unmounted after the test. */
export const smallDisk = (folder: string, size: string): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
};

/** Fails while somebody has a file there open for writing; a disk that turns read-only under its users is `errors=remount-ro`. */
export const remount = (folder: string, how: 'ro' | 'rw' | `size=${string}`): void =>
  void execFileSync('mount', ['-o', `remount,${how}`, folder]);

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

const fakeTime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
export const canFakeTime = existsSync(fakeTime);

/** Environment of a process whose wall clock is off by `offset`, e.g. `+1h`; its monotonic clock is right. */
export const skewedClock = (offset: string): Record<string, string> => ({
  LD_PRELOAD: fakeTime,
  FAKETIME: offset,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
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
