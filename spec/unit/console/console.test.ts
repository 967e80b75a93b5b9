import { describe, expect, it } from 'vitest';
import { type ConsoleOptions, createConsole } from '../../../src/cli/console/console.ts';
import { NoLink } from '../../../src/cli/console/links.ts';
import { runScript } from '../../../src/cli/console/run-script.ts';
import type { ConsoleRequest } from '../../../src/console/form.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { RequestStatement } from '../../../src/domain/live-request.ts';
import type { Answer, Statement } from '../../../src/registry/statements.ts';

const worker = { id: 6, identity: 'demo01', description: '', state: 'ONLINE', token: '(hidden)', owner: 'hp' };
const none: Answer = { kind: 'worker', rows: [], notices: [] };

type Asked = Statement | RequestStatement;

/** A console over a registry that answers as a test says. */
const consoleWith = (answers: Partial<Record<Asked['verb'], Answer>> = {}, more: Partial<ConsoleOptions> = {}) => {
  const asked: Asked[] = [];
  const requests: ConsoleRequest[] = [];
  const printed: string[] = [];
  const errors: string[] = [];
  const console = createConsole({
    columns: null,
    link: async () => ({
      team: async () => 'team1',
      execute: async (statement) => {
        asked.push(statement);
        const answer = answers[statement.verb];
        if (answer === undefined) throw new TriggerdError('registry-denied', `${statement.verb} is not yours`);
        return answer;
      },
      request: async (request) => requests.push(request) * 7,
      close: async () => undefined,
    }),
    json: false,
    out: async (text) => void printed.push(text),
    readSecret: async (user) => `of ${user}`,
    isOverheard: false,
    ...more,
  });
  const script = (lines: readonly string[], keepGoing = false) =>
    runScript(console, {
      lines,
      place: (line) => `line ${line}`,
      keepGoing,
      onError: (error) => void errors.push(`${error.code}: ${error.message}`),
    });
  return { asked, requests, printed, errors, script, text: () => printed.join('') };
};

describe('a script of the console', () => {
  it('a script of the console prints a table and how long it took', async () => {
    const { script, asked, text } = consoleWith({ 'worker.list': { ...none, rows: [worker] } });
    expect(await script(['# all of them', '', 'show workers'])).toBe(0);
    expect(asked).toEqual([{ verb: 'worker.list', team: 'team1' }]);
    expect(text()).toMatch(/^ {2}id \| identity \|.*\(1 rows\)\n\nTime: [\d.]+(µs|ms|s)\n$/s);
  });

  it('a script of the console prints one entry by its name', async () => {
    const { script, errors, text } = consoleWith({ 'worker.list': { ...none, rows: [worker, { identity: 'x' }] } });
    expect(await script(['show worker demo01', 'show worker demo02'])).toBe(1);
    expect(text()).toContain('     identity | demo01\n');
    expect(text()).not.toContain('identity | x');
    expect(errors).toEqual(['registry-not-found: line 2: there is no worker “demo02”']);
  });

  it('a script of the console prints notices of a change, which cannot drive a terminal', async () => {
    const { script, text } = consoleWith({
      'service.attach': { kind: 'service', rows: [], notices: ['a', 'b\u001b[2J'] },
    });
    await script(['set services s workers add w']);
    expect(text()).toBe('Notice: a\nNotice: b\\e[2J\n');
  });

  it('a script of the console stops at the first statement that fails, and names it', async () => {
    const { script, asked, errors } = consoleWith({ 'worker.add': none });
    expect(await script(['set workers identity a', 'delete worker b', 'set workers identity c'])).toBe(1);
    expect(errors).toEqual(['registry-denied: line 2: worker.delete is not yours']);
    expect(asked).toHaveLength(2);
  });

  it('a script of the console continues after a failure on request, and fails in the end', async () => {
    const { script, asked, errors } = consoleWith({ 'worker.add': none });
    expect(await script(['bogus', 'set workers identity a', 'set'], true)).toBe(1);
    expect(errors.map((error) => error.slice(0, 42))).toEqual([
      'statement-invalid: line 1, column 1: “bogu',
      'statement-invalid: line 3, column 4: the s',
    ]);
    expect(asked).toHaveLength(1);
  });

  it('a script of the console stops when no daemon can be reached', async () => {
    const cause = new TriggerdError('broker-unreachable', 'no broker');
    const { script, errors } = consoleWith({}, { link: () => Promise.reject(new NoLink('no link', { cause })) });
    await expect(script(['help help', 'show workers', 'show services'], true)).rejects.toMatchObject({ cause });
    expect(errors).toEqual([]);
  });

  it('the console has two modes; exit leaves the one, then the other', async () => {
    const { script, asked } = consoleWith({ 'worker.list': none });
    const lines = ['configure', 'show workers', 'exit', 'show workers', 'exit', 'show workers'];
    expect(await script(lines)).toBe(0);
    expect(asked).toHaveLength(2);
  });

  it('the console asks for a password, and takes none that everybody can read', async () => {
    const answers = { 'user.add': none, 'user.set': none };
    const script = ['set users identity bob', 'set users bob secret'];
    const { asked, ...asking } = consoleWith(answers);
    expect(await asking.script(script)).toBe(0);
    expect(asked).toMatchObject([{ secret: 'of bob' }, { secret: 'of bob' }]);
    const overheard = consoleWith(answers, { isOverheard: true });
    expect(await overheard.script(["set users identity bob secret 'a long password'"])).toBe(1);
    expect(overheard.errors[0]).toMatch(/^usage: line 1: all users of this machine can read a password/);
    expect(overheard.asked).toEqual([]);
  });

  it('the console exits with the code of the failed request', async () => {
    const { script, requests, errors } = consoleWith();
    expect(await script(["request service s plugin command command 'exit 7'", 'show workers'])).toBe(7);
    expect(requests).toMatchObject([{ command: 'exit 7' }]);
    expect(errors).toEqual([]);
  });
});

describe('with --json', () => {
  const rows = [{ ...worker, created: '2018-04-30T18:45:30.000Z', secret_hash: 'x' }];
  const service = { id: 1, name: 's', retry: 'always' };

  it('the console with --json prints for each statement an array of its columns, on a line', async () => {
    const answers: Parameters<typeof consoleWith>[0] = {
      'worker.list': { ...none, rows },
      'service.list': { kind: 'service', rows: [service], notices: [] },
      'service.add': { kind: 'service', rows: [service], notices: ['not here'] },
    };
    const { script, printed } = consoleWith(answers, { json: true });
    await script(['configure', 'show workers', 'show services', 'show service s', 'set service name s']);
    const [workers, all, one, added] = printed.map((line) => JSON.parse(line));
    expect(workers).toEqual([{ ...worker, created: '2018-04-30T18:45:30.000Z', updated: null }]);
    expect(Object.keys(all[0])).not.toContain('retry');
    expect([one, added]).toMatchObject([[{ retry: 'always' }], [{ retry: 'always' }]]);
    expect(printed).toHaveLength(4);
    expect(printed.every((line) => line.endsWith('\n') && line.split('\n').length === 2)).toBe(true);
  });

  it('the console with --json prints help as data, too', async () => {
    const { script, printed } = consoleWith({}, { json: true });
    await script(['help visibility']);
    expect(JSON.parse(printed.join(''))).toContainEqual({
      section: 'Services',
      statement: 'set services <service>',
      about: 'change a service',
      settings: expect.arrayContaining(['visibility <local|team|public>']),
    });
  });
});
