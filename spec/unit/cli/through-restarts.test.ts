import { afterEach, expect, it, vi } from 'vitest';
import type { Session } from '../../../src/cli/support/session.ts';
import { throughRestarts } from '../../../src/cli/support/through-restarts.ts';
import { type ErrorCode, TriggerdError } from '../../../src/domain/errors.ts';

const session = { interrupt: new AbortController().signal } as Session;
const lost = (code: ErrorCode = 'daemon-unreachable') => new TriggerdError(code, 'lost');

let now = Date.now();
vi.spyOn(Date, 'now').mockImplementation(() => now);
afterEach(() => {
  now += 1_000_000;
});

it('the time to give up counts from the daemon’s loss, not from its last message', async () => {
  const attempt = vi
    .fn<(heard: () => void) => Promise<string>>()
    .mockImplementationOnce(async (heard) => {
      heard();
      now += 3_600_000;
      throw lost();
    })
    .mockResolvedValueOnce('done');
  expect(await throughRestarts(session, attempt)).toBe('done');
});

it('a command gives up when the daemon stays away for more than 30 s', async () => {
  const attempt = vi.fn(async () => {
    now += 16_000;
    throw lost();
  });
  await expect(throughRestarts(session, attempt, { heardBefore: true })).rejects.toThrow('lost');
  expect(attempt).toHaveBeenCalledTimes(3);
});

it.each([
  ['before the first word', 'daemon-unreachable', false],
  ['an error that lasts', 'job-not-found', true],
] as const)('a command does not repeat a request: %s', async (_, code, heardBefore) => {
  const attempt = vi.fn(async () => {
    throw lost(code);
  });
  await expect(throughRestarts(session, attempt, { heardBefore })).rejects.toMatchObject({ code });
  expect(attempt).toHaveBeenCalledOnce();
});

it('a command that waits for a daemon ends with Ctrl-C', async () => {
  const interrupt = new AbortController();
  const attempt = async () => {
    interrupt.abort();
    throw lost();
  };
  const work = throughRestarts({ ...session, interrupt: interrupt.signal }, attempt, { heardBefore: true });
  await expect(work).rejects.toMatchObject({ name: 'Interrupted' });
});
