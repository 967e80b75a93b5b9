import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bench } from './bench.ts';
import { stopProgram } from './peer.ts';

/** A client of its own process that asks as often as it is told to. */
export interface Load {
  readonly pid: number;
  run(load: { readonly count: number; readonly inFlight: number }): Promise<LoadResult>;
}

/** ms. */
export interface LoadResult {
  readonly totalMs: number;
  readonly latencies: readonly number[];
}

/** Starts `bench/peers/<name>.mjs`, which serves loads on stdin, and waits until it is ready. */
export const startLoad = async (bench: Bench, name: string, ...args: string[]): Promise<Load> => {
  const file = join(import.meta.dirname, '../peers', `${name}.mjs`);
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  bench.onEnd(() => stopProgram(child));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`)));
  ended.catch(() => undefined); // each run looks at it
  await Promise.race([once(lines, 'line'), ended]);
  return {
    pid: child.pid ?? 0,
    run: async (load) => {
      child.stdin.write(`${JSON.stringify(load)}\n`);
      const answer = new Promise<string>((resolve) => lines.once('line', resolve));
      const line = await Promise.race([answer, ended]);
      return JSON.parse(line) as LoadResult;
    },
  };
};
