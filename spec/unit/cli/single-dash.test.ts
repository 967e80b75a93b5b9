import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { withDoubleDashes } from '../../../src/cli/support/triggerfs-command.ts';

const command = new Command()
  .option('--identity <name>', '')
  .option('-d, --debug [bool]', '')
  .option('--args <pair>', '', (pair: string, before: string[]) => [...before, pair], [] as string[]);

describe('the triggerfs commands', () => {
  it.each([
    ['-identity demo01', '--identity demo01'],
    ['--identity demo01', '--identity demo01'],
    ['-identity=demo01 -debug true', '--identity=demo01 --debug true'],
    ['-d -identity demo01', '-d --identity demo01'],
    ['-args -identity -identity x', '--args -identity --identity x'],
    ['-unknown x', '-unknown x'],
    ['-debug -- -identity', '--debug -- -identity'],
    ['-identity', '--identity'],
  ])('the triggerfs commands read %s as %s', (given, meant) => {
    expect(withDoubleDashes(command, given.split(' '))).toEqual(meant.split(' '));
  });
});
