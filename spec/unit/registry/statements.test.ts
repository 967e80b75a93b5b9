import { describe, expect, it } from 'vitest';
import { parseStatement } from '../../../src/registry/statements.ts';

const refused = (input: unknown, message: string | RegExp) => {
  expect(() => parseStatement(input)).toThrow(message);
  expect(() => parseStatement(input)).toThrow(expect.objectContaining({ code: 'registry-invalid' }));
};

describe('a statement from outside', () => {
  it.each([
    [undefined],
    [null],
    [7],
    ['worker.add'],
    [[{ verb: 'team.list' }]],
    [{}],
    [{ verb: 7 }],
    [{ verb: ['team.list'] }],
  ])('%j is no statement', (input) => refused(input, /must/));

  // G4: names of methods, prototypes, shells and files are no verbs.
  it.each([
    '',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'prototype',
    'team',
    'team.',
    'TEAM.LIST',
    'team.list ',
    'admin.init',
    'execute',
    '../team.list',
    'team.list\0',
  ])('the verb %j does not exist', (verb) => refused({ verb, team: 'team1' }, 'there is no verb'));

  it('a statement cannot have a field __proto__, and changes no prototype', () => {
    const input: unknown = JSON.parse('{"verb":"team.list","__proto__":{"polluted":true}}');
    refused(input, '__proto__ is not known here');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '/a',
    '-option',
    '.hidden',
    '_x',
    'constructor',
    'prototype',
    'a b',
    'a\nb',
    'ä',
    '\u0000',
    'x'.repeat(64),
    7,
    null,
    {},
  ])('%j is no name in the registry', (identity) =>
    refused({ verb: 'worker.add', team: 'team1', identity }, /^identity must/),
  );

  it.each(['', '/', 'alarms', '/alarms/', '//x', '/../x', '/a/../b', '/a b', `/${'x'.repeat(64)}`])(
    '%j is no path in the registry',
    (path) => refused({ verb: 'directory.add', team: 'team1', path }, /^path must be a path/),
  );

  it.each([
    [{ verb: 'worker.add', identity: 'demo01' }, 'team is missing'],
    [{ verb: 'worker.add', team: 'team1', identity: 'demo01', token: 'mine' }, 'token is not known here'],
    [{ verb: 'service.add', team: 'team1', name: 's', algorithm: 'random' }, 'algorithm must be roundrobin or serial'],
    [{ verb: 'service.add', team: 'team1', name: 's', timeout_ms: -1 }, 'timeout_ms must be a whole number'],
    [{ verb: 'service.add', team: 'team1', name: 's', timeout_ms: Number.NaN }, 'timeout_ms must be'],
    [{ verb: 'definition.set', team: 'team1', name: 't', plugin: '../sh' }, 'plugin must be the name of a plugin'],
    [{ verb: 'definition.set', team: 'team1', name: 't', service: 'a/b/c' }, 'service must be'],
    [{ verb: 'definition.set', team: 'team1', name: 't', mode: 0o4755 }, 'mode must be'],
    [{ verb: 'definition.set', team: 'team1', name: 't', args: { 'a b': 'c' } }, 'args.a b must have names'],
    [{ verb: 'definition.set', team: 'team1', name: 't', args: { a: 'b\0' } }, 'args.a may not have a NUL'],
    [{ verb: 'worker.set', team: 'team1', identity: 'w', description: 'a\u001b[2Jb' }, 'description must be one line'],
  ])('the statement %j is refused, and the field is named', (input, message) => refused(input, message));

  it('a refusal never shows a value, which may be a secret', () => {
    const secret = 'short';
    const input = { verb: 'user.add', team: 'team1', identity: 'hp', secret };
    expect(() => parseStatement(input)).toThrow('secret must have at least 12 characters');
    expect(() => parseStatement({ ...input, secret: ['swordfish swordfish'] })).not.toThrow(/swordfish/);
    refused({ ...input, secret: 'x'.repeat(2_000) }, 'secret must have at most 1024 bytes');
  });

  it('a statement may be nested deeply and very long without harm', () => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 10_000; depth++) deep = [deep];
    refused({ verb: 'worker.add', team: deep, identity: 'w' }, 'team must be a name');
    refused({ verb: 'worker.add', team: 'x'.repeat(1_000_000), identity: 'w' }, 'team must be');
    refused({ verb: 'x'.repeat(1_000_000) }, /^.{1,120}$/);
  });
});
