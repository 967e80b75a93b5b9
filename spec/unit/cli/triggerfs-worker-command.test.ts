import { describe, expect, it } from 'vitest';
import { triggerfsWorkerCommand } from '../../../src/cli/command-lines/triggerfs-worker.ts';
import { workerPaths } from '../../../src/cli/support/own-paths.ts';
import { withDoubleDashes } from '../../../src/cli/support/triggerfs-command.ts';
import { parseConfig } from '../../../src/config/config.ts';

const flagsOf = (line: string): unknown => {
  const command = triggerfsWorkerCommand()
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  return command.parse(withDoubleDashes(command, line.split(' ')), { from: 'user' }).opts();
};

describe('triggerfs-worker', () => {
  it.each([
    ['-identity demo01', { identity: 'demo01' }],
    ['-identity demo01 -debug true', { identity: 'demo01', debug: true }],
    ['--identity demo01 --debug=false', { identity: 'demo01', debug: false }],
    ['-debug -identity demo01', { identity: 'demo01', debug: true }],
    ['-team team1 -config ./f -socket /s', { team: 'team1', config: './f', socket: '/s' }],
  ])('triggerfs-worker takes %s', (line, flags) => {
    expect(flagsOf(line)).toEqual(flags);
  });

  it.each(['-debug perhaps', 'demo01', '-nope', '-identity'])('triggerfs-worker does not take %s', (line) => {
    expect(() => flagsOf(line)).toThrowError();
  });
});

describe('a worker’s folder', () => {
  const worker = { team: 'team1', identity: 'demo01' };
  const places = (text: string, env: Record<string, string>, socket?: string) =>
    workerPaths(parseConfig({ file: { path: '/f', text }, env: {} }), worker, socket, env);

  it.each([
    ['', { HOME: '/home/hp' }, '/home/hp/.local/state/triggerd/team1.demo01'],
    ['', { HOME: '/home/hp', XDG_STATE_HOME: '/state' }, '/state/triggerd/team1.demo01'],
    ['', { HOME: '/home/hp', XDG_STATE_HOME: 'relative' }, '/home/hp/.local/state/triggerd/team1.demo01'],
    ['[node]\nstate_dir = "/var/lib/triggerd"', { HOME: '/home/hp' }, '/var/lib/triggerd'],
  ])('a worker’s folder with %j and %j is its own unless it is configured', (text, env, folder) => {
    expect(places(text, env)).toEqual({ state_dir: folder, socket: `${folder}/triggerd.sock` });
    expect(places(text, env, '/run/s').socket).toBe('/run/s');
  });

  it('a worker’s folder has to be configured where no home is known', () => {
    expect(() => places('', {})).toThrowError(expect.objectContaining({ code: 'state-unusable' }));
  });
});
