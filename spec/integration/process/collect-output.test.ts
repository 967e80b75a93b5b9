import { closeSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as afterPolling } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createOutputFile } from '../../../src/adapters/process/output-file.ts';
import { collectOutput } from '../../../src/runner/collect-output.ts';
import { createPipes } from '../../../src/runner/pipes.ts';
import { temporaryFolder } from '../../support/journal.ts';

/** Nothing of this process runs meanwhile, as on a machine that is too busy for it. */
const stall = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

test.each([
  ['are closed', true],
  ['are held open by somebody', false],
])(
  'a runner that is not scheduled for a while loses no output of a job that has ended; its pipes %s',
  async (_, isOver) => {
    const folder = temporaryFolder();
    const openPipe = createPipes();
    const [stdout, stderr] = [openPipe(), openPipe()];
    const output = createOutputFile(folder, 100_000);
    const collector = collectOutput({ output, errors: output, stdout, stderr });
    // From here on timers come before what is to be read.
    await afterPolling();
    writeSync(stdout.writeFd, 'the last word\n');
    const ends = [stdout.writeFd, stderr.writeFd];
    if (isOver) ends.splice(0).forEach(closeSync);
    const finished = collector.finish();
    stall(300);
    expect(await finished).toBe(14);
    expect(readFileSync(join(folder, 'output'), 'utf8')).toBe('the last word\n');
    ends.forEach(closeSync);
  },
);
