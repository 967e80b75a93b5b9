import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPlugin } from '../../support/shipped-plugins.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'triggerd-plugin-')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** G6: whatever an argument holds is data. */
describe('a hostile value', () => {
  const values = [
    '-rf',
    '--help',
    '-',
    '$(touch made)',
    '`touch made`',
    '; touch made',
    '| touch made #',
    'x\ntouch made',
    '*',
    '?',
    '[a-z]*',
    '~',
    '\\n%n%s',
    '"\'',
    '$HOME',
    ' -n -e ',
    'ü €',
  ];

  it.each(values)('the hostile value %j stays unchanged in a path, a text or a pattern', async (value) => {
    const cwd = join(dir, 'cwd');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'decoy'), 'decoy');
    const run = (name: string, args: Record<string, string>, payload = '') =>
      runPlugin(name, { args, payload, cwd, ...(name === 'log' ? { fixed: { root: dir } } : {}) });

    const file = join(dir, value);
    const [copied, logged] = [
      await run('system/copy', { path: file, text: value }),
      await run('log', { path: join(dir, 'log'), text: value }),
    ];
    expect([copied.exitCode, logged.exitCode]).toEqual([0, 0]);
    expect(readFileSync(file, 'utf8')).toBe(value);
    expect(readFileSync(join(dir, 'log'), 'utf8')).toBe(`${value}\n`);
    const [streamed, found, echoed, shown, killed] = await Promise.all([
      run('file/stream', { path: file }),
      run('filter', { pattern: '', text: value }),
      run('echo', { text: value }),
      run('monitor', { path: file, format: 'json' }),
      value.includes('\n') ? undefined : run('process/kill', { name: value }),
    ]);
    expect(streamed).toEqual({ stdout: value, stderr: '', exitCode: 0 });
    expect(found.stdout).toBe(`${value}\n`);
    expect(echoed.stdout).toBe(`${value}\n`);
    expect(JSON.parse(shown.stdout).disk.path).toBe(file);
    if (killed !== undefined)
      expect(killed).toMatchObject({ exitCode: 1, stderr: `process/kill: no process has the name ${value}\n` });
    expect(existsSync(join(cwd, 'made'))).toBe(false);
    expect(readFileSync(join(cwd, 'decoy'), 'utf8')).toBe('decoy');
  });

  it.each(['-rf', '--help', '--file=/etc/passwd', '$(touch made)', '`x`'])(
    'the hostile value %j is a pattern and no option',
    async (value) => {
      const { stdout, stderr } = await runPlugin('filter', { args: { pattern: value }, payload: `a\n${value}\n` });
      expect(stdout).toBe(value.startsWith('$(') ? '' : `${value}\n`);
      expect(stderr).toBe(value.startsWith('$(') ? 'filter: no such line\n' : '');
    },
  );
});
