import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RegistryBody } from '../../../src/api/contract/registry.ts';
import { openScreen, type Screen } from '../../support/screen.ts';
import { type StubDaemon, startStubDaemon } from '../../support/stub-daemon.ts';
import { until } from '../../support/wait.ts';
import { binary } from './trigger.ts';

describe('the password of a new user', () => {
  let daemon: StubDaemon;
  let screen: Screen;
  beforeAll(async () => {
    daemon = await startStubDaemon({
      'POST /v1/registry': () => ({ kind: 'user', rows: [{ id: 1, identity: 'bob' }], notices: [] }),
    });
    return () => daemon.close();
  });
  afterEach(() => screen.close());

  const open = async (): Promise<void> => {
    const command = [binary, '--socket', daemon.socket, 'user', 'add', 'bob', '--team', 't'];
    // By the shell: tmux' own line about an ended program is missing now and then on a busy machine.
    screen = await openScreen(['sh', '-c', '"$@"; echo "exit code $?"; exec cat', 'sh', ...command], {
      env: { PATH: process.env['PATH'] ?? '' },
    });
  };
  const shows = (text: string) => until(async () => (await screen.lines()).join('\n').includes(text), text);
  const answer = async (prompt: string, typed: string, key = 'Enter'): Promise<void> => {
    await shows(prompt);
    await screen.type(typed);
    await screen.press(key);
  };

  it('the password of a new user is typed twice and never shown, and Backspace works', async () => {
    await open();
    await answer('New password of bob:', 'correct horsé batterx', 'BSpace');
    await answer('New password of bob:', 'y');
    await answer('The same again:', 'correct horsé battery');
    await shows('exit code 0');
    expect((await screen.lines()).join('\n')).not.toMatch(/correct|battery|\*/);
    expect((daemon.requests.at(-1)?.body as RegistryBody | undefined)?.statement).toEqual({
      verb: 'user.add',
      team: 't',
      identity: 'bob',
      secret: 'correct horsé battery',
    });
  });

  it('the password of a new user has to be the same both times', async () => {
    const already = daemon.requests.length;
    await open();
    await answer('New password of bob:', 'correct horse battery');
    await answer('The same again:', 'something else');
    await shows('the two passwords differ');
    await shows('exit code 2');
    expect(daemon.requests).toHaveLength(already);
  });

  it('Ctrl-C at the prompt for a password sets none', async () => {
    await open();
    await answer('New password of bob:', 'half', 'C-c');
    await shows('exit code 130');
  });
});
