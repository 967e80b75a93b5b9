import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../../spec/support/wait.ts';

/** How often this process and its threads call fsync or fdatasync during the work; undefined where there is no strace. */
export const countFsyncs = async (work: () => Promise<void>): Promise<number | undefined> => {
  if (spawnSync('strace', ['-V']).status !== 0) return undefined;
  const strace = spawn('strace', ['-f', '-e', 'trace=fsync,fdatasync', '-p', String(process.pid)]);
  let text = '';
  strace.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const over = once(strace, 'close');
  await until(() => text.includes('attached'), 'strace to attach');
  await work();
  strace.kill('SIGINT');
  await over;
  // One that is interrupted by another thread's is shown as two lines, of which one says `resumed`.
  return text.split('\n').filter((line) => /f(data)?sync\(/.test(line)).length;
};
