import { describe, expect, it } from 'vitest';
import { renderNodes } from '../../../src/cli/commands/nodes.ts';
import { painter } from '../../../src/cli/render/color.ts';
import { renderFiring, renderFirings } from '../../../src/cli/render/firing.ts';
import { renderJobInfo } from '../../../src/cli/render/job-info.ts';
import { renderOutcomeLine, summarize } from '../../../src/cli/render/outcome.ts';
import { renderPlugin, renderPlugins, renderPluginTest } from '../../../src/cli/render/plugin.ts';
import { age, took } from '../../../src/cli/render/time.ts';
import { visible } from '../../../src/kit/text.ts';
import { widthOf } from '../../../src/kit/width.ts';
import { finishedView, firingId, firingView, nodeView, outcomeView, pluginView, succeeded } from './views.ts';

const now = Date.parse('2026-11-20T12:05:00.000Z');
const canvas = { columns: 80, now, paint: painter(false) };
const fits = (text: string, columns = 80) => {
  for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns);
};

describe('status', () => {
  it('status lists firings in 80 columns, with whole IDs', () => {
    const text = renderFirings([firingView(), firingView({ trigger: 'größer'.repeat(20), noop: true })], canvas);
    fits(text);
    expect(text.split('\n')[0]).toMatch(/^FIRING {22}AGE {2}TRIGGER/);
    expect(text.match(new RegExp(firingId, 'g'))).toHaveLength(2);
    expect(text).toMatch(/ 5m /);
  });

  it('status says where a firing came from, and why', () => {
    const text = renderFiring(firingView(), { ...canvas, columns: null });
    expect(text).toContain(
      'Origin:  Puppet on web01.example.com, Trigger[refresh load balancers], environment production',
    );
    expect(text).toContain('Because: File[/etc/app.conf] (/etc/site.pp:42): content changed');
    expect(text).toMatch(/^ {9}and 2 more$/m);
    expect(text).toMatch(/lb01\.example\.com {2}finished {2}succeeded {2}2 {5}18\.2 s {2}7 {4}4 changed/);
    expect(text).toMatch(/lb02\.example\.com {2}deferred .* agent disabled/);
  });

  it('status fits its table into 80 columns', () => {
    const long = outcomeView({ node: 'lb02.example.com', stage: 'skipped', reason: 'because '.repeat(30) });
    fits(renderFiring(firingView({ outcomes: { 'lb02.example.com': long } }), canvas).split('\n\n')[1] ?? '');
  });

  it('status prints odd documents without failing', () => {
    const origin = { kind: 'puppet', causes: [null, { resource: 3 }], causes_total: 'x' };
    expect(() => renderFiring(firingView({ origin, outcomes: {} }), canvas)).not.toThrow();
  });

  it('status counts the stage that ended first', () => {
    const outcomes = [outcomeView(), succeeded('a'), succeeded('b'), outcomeView({ stage: 'skipped' })];
    expect(summarize(outcomes)).toBe('2 succeeded, 1 skipped, 1 owed');
  });
});

describe('a node’s line', () => {
  it('a node’s line says stage, result, exit code, time and changes', () => {
    expect(renderOutcomeLine(succeeded('lb01.example.com'), 16)).toBe(
      'lb01.example.com  finished  succeeded  exit 2  18.2 s  4 changed',
    );
  });

  it.each([
    [
      {
        fate: 'left',
        total: 3,
        processes: [
          { pid: 7, name: 'java' },
          { pid: 8, name: 'java' },
        ],
      },
      '  left running: java …',
    ],
    [{ fate: 'killed', total: 1, processes: [{ pid: 7, name: 'sl\x1b[2Jeep' }] }, '  leftovers killed: sl\\e[2Jeep'],
    [{ fate: 'left', total: 'x', processes: [null, { pid: 'x', name: 'y' }] }, ''],
    [{ fate: 'left', processes: {} }, ''],
    ['x', ''],
  ])('a node’s line says what the run has left: %j', (leftovers, said) => {
    const outcome = { ...succeeded('a'), details: { leftovers } };
    expect(renderOutcomeLine(outcome, 1)).toBe(`a  finished  succeeded  exit 2  18.2 s${said}`);
  });

  it.each<[string, object, string | null]>([
    ['noop, 3 pending', { noop: true, pending: 3, changed: 0, cached_catalog: false, tags: null }, null],
    ['cached catalog, 2 changed', { noop: false, pending: 0, changed: 2, cached_catalog: true }, null],
    ['only tags web, without tags db', { tags: 'web', skip_tags: 'db' }, null],
    ['no report', { missing: 'Puppet wrote no report of this run' }, null],
    ['it broke', { missing: 'Puppet wrote no report of this run' }, 'it broke'],
    ['it broke, 1 failed', { failed: 1 }, 'it broke'],
  ])('a node’s line says “%s” of a Puppet run: %j', (said, puppet, reason) => {
    const outcome = { ...succeeded('a'), reason, details: { puppet } };
    expect(renderOutcomeLine(outcome, 1)).toBe(`a  finished  succeeded  exit 2  18.2 s  ${said}`);
  });

  it('a node’s line says why no run happened', () => {
    const skipped = outcomeView({ node: 'a', stage: 'skipped', reason: 'expired' });
    expect(renderOutcomeLine(skipped, 3)).toBe('a    skipped  expired');
  });
});

describe('other tables', () => {
  it('the table of nodes fits 80 columns', () => {
    const away = nodeView({ node: `${'x'.repeat(60)}.example.com`, present: false, started_at: null });
    const text = renderNodes([nodeView(), away], canvas);
    fits(text);
    expect(text).toMatch(/lb01\.example\.com +present +2h +0\.1\.0 +watch.* default 1\+2/);
    expect(text).toMatch(/… +away/);
  });

  it('the table of plugins says what is wrong with one', () => {
    const text = renderPlugins([pluginView(), pluginView({ name: 'bad', problem: 'writable by others' })], canvas);
    fits(text);
    expect(text).toMatch(/service +refused +plain +restarts a service\nbad +refused +plain +writable by others/);
    expect(renderPlugin(pluginView(), 80)).toMatch(/name +required +\^\[a-z\]\+\$ +which one/);
    const none = { summary: 's', required: false, pattern: null, default: null };
    const args = { n: { ...none, kind: 'integer', min: 1, max: 9 }, root: { ...none, fixed: '/srv' } } as const;
    const shown = renderPlugin(pluginView({ args }), 80);
    expect(shown).toMatch(/n +1…9 +s/);
    expect(shown).toMatch(/root +fixed: \/srv +s/);
  });

  it('the output of plugin test is printed', () => {
    const test = { name: 'p', ok: false, expected_exit_code: 0, exit_code: 3, output: 'out\n', problem: null };
    expect(renderPluginTest(test)).toBe('out\np: failed: exit code differs (exit code 3, expected 0)');
  });

  it('the page of a job is printed', () => {
    const text = renderJobInfo(finishedView({ label: 'x\ny', result: 'failed', exit_code: 3 }), now);
    expect(text).toContain('Result:   failed, exit code 3');
    expect(text).toContain('Label:    x\\ny');
    expect(text).not.toContain('Timeout');
  });
});

describe('colours', () => {
  it('colours are used only where they are wanted', () => {
    expect(renderFirings([firingView()], canvas)).not.toContain('\u001b');
    expect(renderFirings([firingView()], { ...canvas, paint: painter(true) })).toContain('\u001b[33m');
    expect(painter(true)('red', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(painter(true)(null, 'x')).toBe('x');
  });
});

describe('texts', () => {
  it('printed texts show control sequences instead of obeying them', () => {
    expect(visible('a\u0007\u009b1m\tb\r')).toBe('a\\u{7}\\u{9b}1m\\tb\\r');
  });
});

describe('times', () => {
  it.each([
    [12_000, '12s'],
    [180_000, '3m'],
    [5 * 3_600_000, '5h'],
    [3 * 86_400_000, '3d'],
    [-5000, '0s'],
  ])('%d ms ago is printed as %s', (ms, text) => {
    expect(age(new Date(now - ms).toISOString(), now)).toBe(text);
  });

  it.each([
    [18_200, '18.2 s'],
    [200_000, '3 m 20 s'],
    [7_500_000, '2 h 5 m'],
  ])('a duration of %d ms is printed as %s', (ms, text) => {
    expect(took(ms)).toBe(text);
  });
});
