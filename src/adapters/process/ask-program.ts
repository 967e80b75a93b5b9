import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { isSandboxed, pipedUnitCommand } from './own-unit.ts';

export interface Question {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Of characters; 1,000,000 by default. */
  readonly maxBuffer?: number;
}

/**
 * Runs a program for what it prints, as a job would run it: not in the sandbox of the daemon's unit, which is not made for
 * the programs of others. Never throws: the result says how the program ended.
 */
export const askProgram = (
  argv: readonly [string, ...string[]],
  { env, timeoutMs, maxBuffer = 1_000_000 }: Question,
) => {
  const [program, ...args] = isSandboxed() ? pipedUnitCommand(argv, env, queryUnit(timeoutMs)) : argv;
  return execa(program, args, {
    env,
    extendEnv: false,
    cwd: '/',
    stdin: 'ignore',
    reject: false,
    timeout: timeoutMs,
    maxBuffer,
  });
};

const queryUnit = (timeoutMs: number) => ({
  name: `triggerd-query-${randomBytes(12).toString('hex')}`,
  description: 'A question of triggerd to a program',
  properties: [`RuntimeMaxSec=${Math.ceil(timeoutMs / 1_000)}s`, 'TimeoutStopSec=5s'],
});
