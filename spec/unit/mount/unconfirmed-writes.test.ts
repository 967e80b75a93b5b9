import { expect, it } from 'vitest';
import { FsError } from '../../../src/mount/errno.ts';
import { UnconfirmedWrites } from '../../../src/mount/unconfirmed-writes.ts';

const spooling = (maxBytes = 1_000_000) => {
  const sent: string[][] = [];
  const answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const unconfirmed = new UnconfirmedWrites((definition, messages) => {
    sent.push([String(definition), ...messages.map(String)]);
    return new Promise<void>((resolve, reject) => answers.push({ resolve, reject }));
  }, maxBytes);
  return { sent, answers, unconfirmed };
};
const bytes = (text: string): Buffer[] => [Buffer.from(text)];

it('unconfirmed writes of about the same time are sent together, in order, and nobody waits', async () => {
  const { sent, answers, unconfirmed } = spooling();
  for (const text of ['a', 'b', 'c']) await unconfirmed.add(1, bytes(text));
  await unconfirmed.add(2, bytes('x'));
  expect(sent).toEqual([]);
  const settled = unconfirmed.settled();
  expect(sent).toEqual([
    ['1', 'a', 'b', 'c'],
    ['2', 'x'],
  ]);
  for (const { resolve } of answers) resolve();
  await settled;
});

it('unconfirmed writes that are refused fail the next writers, until one is accepted again', async () => {
  const { sent, answers, unconfirmed } = spooling();
  await unconfirmed.add(1, bytes('lost'));
  const settled = unconfirmed.settled();
  answers[0]?.reject(new FsError('ENOSPC', 'full'));
  await settled;
  const refused = unconfirmed.add(1, bytes('b'));
  answers[1]?.reject(new FsError('ENOSPC', 'full'));
  await expect(refused).rejects.toThrow('ENOSPC');
  const taken = unconfirmed.add(1, bytes('c'));
  answers[2]?.resolve();
  await taken;
  await unconfirmed.add(1, bytes('d'));
  expect(sent).toEqual([
    ['1', 'lost'],
    ['1', 'b'],
    ['1', 'c'],
  ]);
  unconfirmed.flush();
});

it('unconfirmed writes make writers wait when too many are under way', async () => {
  const { answers, unconfirmed } = spooling(5);
  await unconfirmed.add(1, bytes('123456'));
  unconfirmed.flush();
  let isThere = false;
  const waiting = Promise.resolve(unconfirmed.add(1, bytes('7'))).then(() => {
    isThere = true;
  });
  await Promise.resolve();
  expect(isThere).toBe(false);
  for (const { resolve } of answers) resolve();
  await waiting;
});
