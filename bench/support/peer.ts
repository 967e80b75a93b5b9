import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Bench } from './bench.ts';

/** Starts a program and stops it by its pid when the benchmark has ended. */
export const startProgram = (bench: Bench, program: string, args: readonly string[]): ChildProcess => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } });
  bench.onEnd(() => stopProgram(child));
  return child;
};

export const stopProgram = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
};

/** Starts `bench/peers/<name>.mjs` and waits until it prints that it is ready. */
export const startPeer = async (bench: Bench, name: string, ...args: string[]): Promise<ChildProcess> => {
  const file = join(import.meta.dirname, '../peers', `${name}.mjs`);
  const child = startProgram(bench, process.execPath, [file, ...args]);
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`)));
  ended.catch(() => undefined); // stopped later, as a rule
  if (child.stdout !== null) await Promise.race([once(child.stdout, 'data'), ended]);
  return child;
};
