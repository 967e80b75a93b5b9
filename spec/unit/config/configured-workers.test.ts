import { describe, expect, it } from 'vitest';
import { furtherBrokers, workersBrokers } from '../../../src/config/brokers.ts';
import { parseConfig } from '../../../src/config/config.ts';
import { chooseWorker, configuredWorkers } from '../../../src/config/workers.ts';

const load = (text: string) => parseConfig({ file: { path: '/f.toml', text }, env: {} });
const three = load(`
[main]
team = "team2"
[workers]
pluginspath = "/p"
[workers.team1.demo01]
token = "a"
[workers.team1.demo02]
token = "b"
[workers.team2.demo02]
token = "c"
`);
const choose = (identity?: string, team?: string, loaded = three) => chooseWorker(loaded, { identity, team });

it('the configured workers of all teams are listed', () => {
  expect(configuredWorkers(three.config)).toEqual([
    { team: 'team1', identity: 'demo01', token: 'a' },
    { team: 'team1', identity: 'demo02', token: 'b' },
    { team: 'team2', identity: 'demo02', token: 'c' },
  ]);
});

it('a worker is found by its name alone, in the main team, or in the named team', () => {
  expect(choose('demo01').token).toBe('a');
  expect(choose('demo02').token).toBe('c');
  expect(choose('demo02', 'team1').token).toBe('b');
});

it.each([
  [
    undefined,
    undefined,
    'usage',
    /-identity is missing; \/f\.toml has these workers: team1\/demo01, team1\/demo02, team2\/demo02/,
  ],
  ['demo03', undefined, 'config-invalid', /no \[workers\.team2\.demo03\] with the worker’s token/],
  ['demo01', 'team2', 'config-invalid', /no \[workers\.team2\.demo01\]/],
] as const)('the fault of worker %s of team %s is named', (identity, team, code, message) => {
  expect(() => choose(identity, team)).toThrowError(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});

it('a worker’s name in several teams needs the team', () => {
  const two = load('[workers.a.x]\ntoken = "1"\n[workers.b.x]\ntoken = "2"');
  expect(() => choose('x', undefined, two)).toThrowError(
    expect.objectContaining({ code: 'team-missing', message: '/f.toml has a worker x in several teams: a, b' }),
  );
});

describe('the brokers of the workers', () => {
  const key = (letter: string) => letter.repeat(40);
  const section = (name: string, letter: string) =>
    `[${name}]\nbroker = "tcp://${letter}:5555"\nbroker_key = "${key(letter)}"\n`;
  const workersOf = (text: string) => workersBrokers(load(text).config);

  it('a worker’s brokers are those of [workers], otherwise those of [main]; neither of both is a worker', () => {
    const own = `${section('workers', 'w')}[workers.team1.demo01]\ntoken = "a"\n`;
    expect(workersOf(own)).toEqual([{ endpoint: 'tcp://w:5555', key: key('w') }]);
    expect(workersOf(section('main', 'm'))).toEqual([{ endpoint: 'tcp://m:5555', key: key('m') }]);
    expect(workersOf(`${section('main', 'm')}${own}`)).toEqual([{ endpoint: 'tcp://w:5555', key: key('w') }]);
    expect(configuredWorkers(load(own).config)).toEqual([{ team: 'team1', identity: 'demo01', token: 'a' }]);
  });

  it('a worker’s brokers come complete from one section, whose name is in the error when one is missing', () => {
    expect(() => workersOf('')).toThrow('[workers] broker is missing, and so is [main] broker');
    expect(() => workersOf(`${section('main', 'm')}[workers]\nbroker = "tcp://w:5555"`)).toThrow(
      '[workers] broker_key is missing',
    );
    expect(() => workersOf(`${section('main', 'm')}[workers]\nbroker_key = "${key('w')}"`)).toThrow(
      '[workers] broker is missing',
    );
    expect(furtherBrokers(load('').config)).toEqual([]);
  });
});
