import { setTimeout as sleep } from 'node:timers/promises';
import type { Pipe } from './pipes.ts';
import type { Resources } from './resources.ts';

export interface OutputCollector {
  /**
   * Reads what the ended job left in its pipes, and stops: a daemon that it started may hold them open for years.
   * Resolves with the bytes that the job wrote. A second call changes nothing.
   */
  finish(): Promise<number>;
}

/**
 * The writers are dead: what they wrote is in the pipes, and a few turns of the event loop read it. The clock ends only the
 * reading of what a daemon goes on writing: a runner that was not scheduled for a while has read nothing yet.
 */
const quietTurns = 3;
const turnMs = 2;
const longestDrainMs = 200;

/** Copies both pipes into the job's output files as bytes arrive. */
export const collectOutput = ({
  output,
  errors,
  stdout,
  stderr,
}: Pick<Resources, 'output' | 'errors' | 'stdout' | 'stderr'>): OutputCollector => {
  const pipes = [stdout, stderr];
  let open = pipes.length;
  let chunks = 0;
  let allEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    allEnded = resolve;
  });
  const follow = (pipe: Pipe, stream: 'o' | 'e'): void => {
    pipe.reader.on('data', (chunk: Buffer) => {
      chunks += 1;
      (stream === 'o' ? output : errors).write(stream, chunk);
    });
    const onEnd = (): void => {
      open -= 1;
      if (open === 0) allEnded();
    };
    pipe.reader.once('close', onEnd).on('error', () => undefined);
  };
  follow(stdout, 'o');
  follow(stderr, 'e');

  const quiet = async (): Promise<void> => {
    const deadline = performance.now() + longestDrainMs;
    let quietFor = 0;
    for (let turns = 0; quietFor < quietTurns && (turns < quietTurns || performance.now() < deadline); turns += 1) {
      const seen = chunks;
      await sleep(turnMs);
      quietFor = seen === chunks ? quietFor + 1 : 0;
    }
  };

  const finish = async (): Promise<number> => {
    await Promise.race([ended, quiet()]);
    for (const pipe of pipes) pipe.release(pipe.reader.readableEnded);
    return output.close() + (errors === output ? 0 : errors.close());
  };
  let finished: Promise<number> | undefined;
  return {
    finish: () => {
      finished ??= finish();
      return finished;
    },
  };
};
