import { join } from 'node:path';

export const dist = join(import.meta.dirname, '../../dist');
export const runnerCommand: readonly [string, ...string[]] = [process.execPath, join(dist, 'programs/runner.js')];
