import { describe, expect, it } from 'vitest';
import { renderRows } from '../../../src/console/tables.ts';
import { withWidths } from '../../../src/kit/width.ts';

/** As the documentation has them: blanks at the end of a line are not part of it. */
const documented = (name: string): string[] => (tables[`./tables/${name}.txt`] ?? '').trimEnd().split('\n');

const tables = import.meta.glob('./tables/*', { query: '?raw', import: 'default', eager: true });

const common = { created: '2018-04-30T18:45:30.000Z', updated: '2018-04-30T18:45:30.000Z' };
const demo01 = {
  id: 6,
  identity: 'demo01',
  description: '',
  state: 'DISCONNECTED',
  token: '9b1bd278-e645-4eec-bffb-0587ad84534e',
  owner: 'hp',
  ...common,
};
const demoservice = {
  id: 2,
  name: 'demoservice',
  description: '',
  timeout: null,
  algorithm: 'roundrobin',
  triggers: [],
  workers: [],
  visibility: 'local',
  owner: 'me',
  created: '2018-04-30T18:49:02.000Z',
  updated: '2018-04-30T18:49:02.000Z',
};
const demotrigger = {
  id: 2,
  name: 'demotrigger',
  description: '',
  plugin: 'command/command',
  hits: 0,
  owner: 'hp',
  visibility: 'local',
  created: '2018-04-30T18:53:54.000Z',
  updated: '2018-04-30T18:53:54.000Z',
};

describe('the tables of the documentation', () => {
  it('the documentation’s table of services is printed', () => {
    expect(renderRows('service', [demoservice], { single: false, columns: null }).split('\n')).toEqual(
      documented('services'),
    );
    const attached = { ...demoservice, workers: ['demo01'] };
    expect(renderRows('service', [attached], { single: false, columns: null }).split('\n')).toEqual(
      documented('services-attached'),
    );
  });

  // Its authors took rows out of these: the columns are as wide as what is not shown.
  it('the documentation’s table of workers is printed', () => {
    const wider = { ...demo01, id: 12, description: 'd'.repeat(22), owner: 'o'.repeat(9) };
    const lines = renderRows('worker', [demo01, wider], { single: false, columns: null }).split('\n');
    expect([...lines.slice(0, 3), lines[4]]).toEqual(documented('workers'));
    expect(lines.slice(5)).toEqual(['(2 rows)']);
  });

  it('the documentation’s table of triggers is printed', () => {
    const wider = { ...demotrigger, id: 12, owner: 'o'.repeat(9) };
    const lines = renderRows('definition', [demotrigger, wider], { single: false, columns: null }).split('\n');
    expect([...lines.slice(0, 3), lines[4]]).toEqual(documented('triggers'));
  });
});

describe('a table', () => {
  const rows = (...identities: string[]) => identities.map((identity) => ({ ...demo01, identity }));
  const cells = (text: string) => text.split('\n')[2]?.split(' | ') ?? [];

  it('a table without rows has its titles', () => {
    expect(renderRows('directory', [], { single: false, columns: null })).toBe(
      [
        '  id | path | description | mode | owner | created | updated',
        '+----+------+-------------+------+-------+---------+---------+',
        '(0 rows)',
      ].join('\n'),
    );
  });

  it('a table stays aligned with characters of two columns, and of none', async () => {
    const lines = (
      await withWidths(() => renderRows('worker', rows('東京', 'e\u0301te'), { single: false, columns: null }))
    ).split('\n');
    expect(lines[2]).toContain(' | 東京     | ');
    expect(lines[3]).toContain(' | e\u0301te      | ');
  });

  it('a table lets no text drive the terminal or forge a row', () => {
    const evil = { ...demo01, description: '\u001b[2J\u001b]0;x\u0007\n   7 | forged\u202e' };
    const text = renderRows('worker', [evil], { single: false, columns: null });
    expect(text.split('\n')).toHaveLength(5);
    expect(cells(text)[2]).toBe('\\e[2J\\e]0;x\\u{7}\\n   7');
    expect(text).toContain('forged\\u{202e}');
  });

  it.each([
    [{ id: 'seven', workers: { a: 1 }, created: 'never', triggers: [null, 'x', ['y']] }, 'a=1'],
    [{}, '(1 rows)'],
  ])('a table prints what no registry sends: %j', (row, part) => {
    expect(renderRows('service', [row], { single: false, columns: null })).toContain(part);
  });

  it('a table shows the fields of one entry on lines of their own', () => {
    const args = { path: '/tmp/x', mode: 'a' };
    const more = { path: '/newtrigger/demotrigger', service: 'demoservice', args, timeout: '10s', durable: true };
    const text = renderRows('definition', [{ ...demotrigger, ...more }], { single: true, columns: null });
    expect(text).toContain('         name | demotrigger\n');
    expect(text).toContain('         args | path=/tmp/x, mode=a\n');
    expect(text).toContain('      durable | yes\n');
  });
});

describe('a table on a terminal', () => {
  const triggers = Array.from({ length: 12 }, (_, at) => `/a/directory/trigger${at}`);
  const busy = { ...demoservice, triggers, workers: ['demo01', 'demo02'] };
  const shown = (columns: number | null) =>
    renderRows('service', [busy, demoservice], { single: false, columns }).split('\n');

  it('a table is drawn like triggerFS’ where it fits, and where the output is no terminal', () => {
    expect(shown(null)).toEqual(shown(1_000));
    expect(shown(null)[2]).toContain(triggers.join(', '));
  });

  it('a table has shorter lists where that is enough', () => {
    const lines = shown(200);
    expect(Math.max(...lines.map((line) => line.length))).toBe(200);
    expect(lines[2]).toMatch(/\| \/a\/directory\/.*… \| demo01, demo02 \|/);
    expect(lines.at(-1)).toBe('(2 rows)');
  });

  it.each([80, 40])(
    'a table of %i columns has a line for each value where it does not fit, and loses nothing',
    (columns) => {
      const lines = shown(columns);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      const text = lines.map((line) => line.replace(/^.*?\| /, '')).join(' ');
      for (const trigger of triggers) expect(text).toContain(trigger);
      expect(text).toContain('Mon, 30 Apr 2018 18:49:02 UTC');
      expect(lines.at(-1)).toBe('(2 rows)');
    },
  );
});
