import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Hanging, hasLostThreads, withPatience } from '../../../src/adapters/files/patience.ts';
import { readUntrustedText } from '../../../src/adapters/files/untrusted-file.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { until } from '../../support/wait.ts';

describe('a file that never answers', () => {
  it('a file that never answers costs at most two threads, further reads are refused, and reads work when it answers', async () => {
    // The end of a FIFO that nobody writes to hangs as a file on a dead server does.
    const fifo = join(temporaryFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const hang = () => open(fifo, 'r').then((file) => file.close());
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => withPatience(hang, 50)));
    expect(outcomes.map((each) => each.status === 'rejected' && each.reason instanceof Hanging)).toEqual(
      Array(4).fill(true),
    );
    expect(hasLostThreads()).toBe(true);
    expect(await readUntrustedText('/etc/passwd', { owners: [0], maxBytes: 1_048_576 })).toEqual({
      kind: 'refused',
      why: 'other files give no answer',
    });
    // Our own reads of files still have threads.
    await (await open('/etc/passwd')).close();
    const writer = openSync(fifo, constants.O_WRONLY);
    await until(() => !hasLostThreads(), 'the threads to come back');
    closeSync(writer);
    expect(await readUntrustedText('/etc/passwd', { owners: [0], maxBytes: 1_048_576 })).toMatchObject({
      kind: 'read',
    });
  });
});
