import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bench } from './bench.ts';
import { stopProgram } from './peer.ts';

/** A program of its own that writes to files. */
export interface Writer {
  write(job: WriterJob): Promise<number>;
}

export interface WriterJob {
  readonly path: string;
  readonly bytes: number;
  readonly count: number;
  /** Opens and closes the file for each write. */
  readonly isEach?: boolean;
}

/** `write` gives ms. */
export const startWriter = async (bench: Bench): Promise<Writer> => {
  const script = join(import.meta.dirname, '../peers/file-writer.mjs');
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  bench.onEnd(() => stopProgram(child));
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  return {
    write: async (job) => {
      child.stdin.write(`${JSON.stringify(job)}\n`);
      const [line] = await once(lines, 'line');
      return (JSON.parse(String(line)) as { totalMs: number }).totalMs;
    },
  };
};
