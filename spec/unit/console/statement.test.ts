import { describe, expect, it } from 'vitest';
import type { Ask } from '../../../src/console/form.ts';
import { allForms } from '../../../src/console/grammar.ts';
import { fitting, inTeam, nextAfter, parseStatement } from '../../../src/console/match.ts';
import { type Slot, type SlotName, slots } from '../../../src/console/slots.ts';
import { wordsOf } from '../../../src/console/words.ts';
import { seeded } from '../../support/random.ts';

const asked = (line: string): Ask => {
  const command = parseStatement(line);
  if (command?.kind !== 'registry') throw new Error(`“${line}” asks the registry nothing`);
  return command.ask;
};
const complaint = (line: string): string => {
  try {
    parseStatement(line);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`“${line}” was understood`);
};

describe('a statement of the documentation', () => {
  it.each<[string, Ask]>([
    ['set workers identity demo01', { verb: 'worker.add', identity: 'demo01' }],
    ['show workers', { verb: 'worker.list' }],
    ['set services name demoservice', { verb: 'service.add', name: 'demoservice' }],
    ['show services', { verb: 'service.list' }],
    ['set services demoservice workers add demo01', { verb: 'service.attach', name: 'demoservice', worker: 'demo01' }],
    ['set trigger name /newtrigger/demotrigger', { verb: 'definition.add', path: '/newtrigger/demotrigger' }],
    [
      'set trigger demotrigger plugin command/command',
      { verb: 'definition.set', name: 'demotrigger', plugin: 'command/command' },
    ],
    [
      'set trigger demotrigger service attach demoservice',
      { verb: 'definition.set', name: 'demotrigger', service: 'demoservice' },
    ],
    ['show triggers', { verb: 'definition.list' }],
  ])('a statement of the documentation is understood: %s', (line, ask) => {
    expect(asked(line)).toEqual(ask);
  });

  it.each(['configure', 'help', 'exit'])('a statement of the documentation is understood in a team: %s', (line) => {
    expect(parseStatement(line)).toMatchObject({ kind: line });
  });
});

describe('a statement', () => {
  it.each<[string, Ask]>([
    ['set worker name demo01 description "rack 7"', { verb: 'worker.add', identity: 'demo01', description: 'rack 7' }],
    ['set workers demo01 token rotate', { verb: 'worker.rotate', identity: 'demo01' }],
    [
      'set services s algorithm mirror timeout 1h30m retry always visibility public',
      {
        verb: 'service.set',
        name: 's',
        algorithm: 'mirror',
        timeout_ms: 5_400_000,
        retry: 'always',
        visibility: 'public',
      },
    ],
    ['set services s timeout none', { verb: 'service.set', name: 's', timeout_ms: null }],
    ['delete services s timeout', { verb: 'service.set', name: 's', timeout_ms: null }],
    ['delete services name s', { verb: 'service.delete', name: 's' }],
    ['delete service s workers w', { verb: 'service.detach', name: 's', worker: 'w' }],
    [
      "set trigger t args path=/tmp/x args 'text=a b' max-message 64KiB mode 0640 durable no",
      {
        verb: 'definition.set',
        name: 't',
        args: { path: '/tmp/x', text: 'a b' },
        max_message: 65_536,
        mode: 0o640,
        durable: false,
      },
    ],
    ['set trigger t deadline 1h', { verb: 'definition.set', name: 't', deadline_ms: 3_600_000 }],
    ['set trigger t deadline none', { verb: 'definition.set', name: 't', deadline_ms: null }],
    ['delete triggers t deadline', { verb: 'definition.set', name: 't', deadline_ms: null }],
    ['set trigger t partial send', { verb: 'definition.set', name: 't', partial: 'send' }],
    ['set trigger t partial none', { verb: 'definition.set', name: 't', partial: null }],
    ['delete triggers t partial', { verb: 'definition.set', name: 't', partial: null }],
    ['delete triggers t args path', { verb: 'definition.set', name: 't', args: { path: null } }],
    ['set directory /x', { verb: 'directory.add', path: '/x' }],
    ['mkdir /x', { verb: 'directory.add', path: '/x' }],
    ['set directory /x to /y', { verb: 'directory.set', path: '/x', to: '/y' }],
    ['set team t invite bob', { verb: 'team.invite', team: 't', identity: 'bob', role: 'member' }],
    ['set team t invite bob role admin', { verb: 'team.invite', team: 't', identity: 'bob', role: 'admin' }],
    ['set team t user add bob', { verb: 'team.invite', team: 't', identity: 'bob', role: 'member' }],
    ['set services s workers detach w', { verb: 'service.detach', name: 's', worker: 'w' }],
    ['set user bob disabled yes', { verb: 'user.set', identity: 'bob', disabled: true }],
    ['show history service s limit 5', { verb: 'history.list', service: 's', limit: 5 }],
  ])('a statement is understood: %s', (line, ask) => {
    expect(asked(line)).toEqual(ask);
  });

  it('a keyword is a name in a statement where it is quoted, or where nothing else fits', () => {
    expect(asked('set services name workers add demo01')).toMatchObject({ verb: 'service.attach', name: 'name' });
    expect(parseStatement('show services workers')).toMatchObject({ only: 'workers' });
    expect(asked("set workers 'token' description x")).toMatchObject({ verb: 'worker.set', identity: 'token' });
    expect(complaint("set 'workers' identity demo01")).toContain('column 5: “workers” does not fit here');
  });

  it('a statement asks for the password that it lacks', () => {
    const command = parseStatement('set users identity bob role admin');
    if (command?.kind !== 'secret') throw new Error('nobody is asked');
    expect(command.ask('s3cret')).toEqual({ verb: 'user.add', identity: 'bob', secret: 's3cret', role: 'admin' });
    expect(asked('set users identity bob secret hunter2')).toMatchObject({ secret: 'hunter2' });
    expect(parseStatement('set users bob password')).toMatchObject({ kind: 'secret', user: 'bob' });
  });

  it('a statement may be a request', () => {
    const line = "request service s plugin command command 'echo a  b' args x=1 timeout 10s";
    const request = { service: 's', plugin: 'command', command: 'echo a  b', args: { x: '1' }, timeoutMs: 10_000 };
    expect(parseStatement(line)).toEqual({ kind: 'request', request });
  });

  it.each(['', '   ', '# set workers identity demo01'])('a statement may be empty: “%s”', (line) => {
    expect(parseStatement(line)).toBeNull();
  });

  it('a statement is about the caller’s team, unless it is about a team', async () => {
    const nobody = () => Promise.reject(new Error('the team was asked for'));
    expect(await inTeam({ verb: 'worker.list' }, async () => 'team1')).toEqual({ verb: 'worker.list', team: 'team1' });
    expect(await inTeam({ verb: 'team.accept', team: 't' }, nobody)).toEqual({ verb: 'team.accept', team: 't' });
  });

  it('a statement keeps an argument whatever its name is', () => {
    const { args } = asked('set trigger t args __proto__=x args a=1') as { args: object };
    expect(Object.entries(args)).toEqual([
      ['__proto__', 'x'],
      ['a', '1'],
    ]);
  });
});

describe('what is not understood is told with its place and what was expected', () => {
  it.each([
    ['shwo workers', 'column 1: “shwo” does not fit here; did you mean “show”?; expected set, show, delete, mkdir, '],
    ['  set  wrokers identity x', 'column 8: “wrokers” does not fit here; did you mean “workers”?; expected '],
    ['set services demo', 'column 18: the statement ends too early; expected workers, description, algorithm'],
    ['set services s timeout abc', 'column 24: “abc” does not fit here; expected a duration such as 10s, or none'],
    ['set services s algorithm miror', '; did you mean “mirror”?; expected one of roundrobin, serial, mirror'],
    ['show workers a b', 'column 16: “b” does not fit here; nothing more was expected'],
    ['set services s timeout 1s timeout 2s', 'column 27: “timeout” does not fit here'],
    ['set trigger name demotrigger', 'expected a path that begins with /'],
    ['set workers identity', 'column 21: the statement ends too early; expected the name of a worker'],
    ["set services 'a b'", 'column 19: the statement ends too early'],
    ["set workers identity 'demo", "column 22: the quote ' is not closed"],
    ['set workers identity x\\', 'column 23: nothing follows the backslash'],
    ['\u001b[2Jx', 'column 1: “\\u001b[2Jx” does not fit here'],
    ['set services s timeout 0s', 'column 24: “0s” does not fit here'],
    ['x'.repeat(70_000), 'a statement has at most 65536 characters'],
  ])('the error has the place and what was expected: %s', (line, message) => {
    expect(complaint(line)).toContain(message);
  });
});

it('any typed text is a statement, nothing, or refused with its place', () => {
  const random = seeded(7);
  const words = [
    ...new Set(
      allForms.flatMap(({ pattern, settings }) => [...pattern.split(' '), ...settings.map(({ word }) => word)]),
    ),
  ];
  const junk = [
    '"',
    "'",
    '\\',
    '#',
    '/',
    '=',
    '\u0000',
    '\u{1f600}',
    '\ud800',
    '__proto__',
    'constructor',
    '1s',
    '0644',
  ];
  for (let round = 0; round < 5_000; round++) {
    const parts = Array.from({ length: random.between(0, 9) }, () =>
      random.pick(random.between(0, 3) === 0 ? junk : words),
    );
    const line = parts.join(random.pick([' ', '  ', '']));
    try {
      parseStatement(line);
    } catch (error) {
      expect(error, line).toMatchObject({ code: 'statement-invalid', message: expect.stringMatching(/^column \d+: /) });
    }
  }
});

describe('quoting is that of a shell', () => {
  it.each([
    ["'a b'\\ c", ['a b c']],
    ['"a \\"b\\" \\n \'c\'"', ['a "b" \\n \'c\'']],
    ["''", ['']],
    ['a#b # c', ['a#b']],
    ["'#' x", ['#', 'x']],
    ['a\tb\u00a0c', ['a', 'b', 'c']],
  ])('words are quoted as in a shell: %s', (line, texts) => {
    expect(wordsOf(line).map(({ text }) => text)).toEqual(texts);
  });
});

describe('every form', () => {
  const samples: Partial<Record<SlotName, string>> = {
    path: '/x/y',
    timeout: '10s',
    duration: '10s',
    flag: 'yes',
    mode: '0644',
    size: '1MiB',
    count: '7',
    pair: 'a=b',
  };
  const sample = (name: SlotName): string => {
    const { choices }: Slot = slots[name];
    return samples[name] ?? choices?.[0] ?? 'x1';
  };
  const lines = allForms.flatMap((form) =>
    form.variants.map((parts) => {
      const words = parts.map((part) => (part.kind === 'keyword' ? part.spellings[0] : sample(part.name)));
      const settings = form.settings.flatMap(({ word, slot }) => [word, sample(slot)]);
      return [[...words, ...settings].join(' '), form] as const;
    }),
  );

  it.each(lines)('the form %s is parsed as itself, and recognized at each of its words', (line, form) => {
    const words = wordsOf(line);
    expect(fitting(words)?.form).toBe(form);
    for (let known = 0; known <= words.length; known++) expect(nextAfter(words.slice(0, known)).fitted).toBe(known);
  });
});
