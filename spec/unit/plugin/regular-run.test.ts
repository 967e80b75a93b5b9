import { describe, expect, it } from 'vitest';
import type { FileText } from '../../../src/plugin/ports.ts';
import { exitCodeOfWhole, isCoveredBy, readAgentRun } from '../../../src/plugin/puppet/regular-run.ts';
import { jobRequest } from '../../support/jobs.ts';
import { puppetHost, puppetSettings } from '../../support/puppet-host.ts';

const request = (changes = {}) => jobRequest({ source: 'firing', plugin: 'puppet', argv: [], ...changes });
const agent = { what: { kind: 'agent' } } as const;
const apply = (argv: string[], cwd = '/root') => ({ what: { kind: 'apply', argv, cwd } }) as const;
const words = (text: string) => text.split(' ');

describe('a whole run', () => {
  const whole = { status: 'changed', noop: false, completed: true, skipped: 0 };

  it.each([
    [{}, 2],
    [{ status: 'unchanged' }, 0],
    [{ status: 'failed' }, null],
    [{ status: null }, null],
    [{ noop: true }, null],
    [{ completed: false }, null],
    [{ skipped: 3 }, null],
  ])('a whole run: %j → %s', (changes, exitCode) => {
    expect(exitCodeOfWhole({ ...whole, ...changes })).toBe(exitCode);
  });
});

describe('a job that a run covers', () => {
  it.each([
    ['the plain one', {}, true],
    ['in noop', { noop: true }, false],
    ['with arguments', { args: { tags: 'web' } }, false],
    ['with a command of its own', { argv: ['puppet', 'agent', '-t'] }, false],
    ['of another plugin', { plugin: 'command' }, false],
    ['that somebody has added by hand', { source: 'cli' }, false],
  ])('a job that a regular run covers: %s', (_name, changes, expected) => {
    expect(isCoveredBy(agent, request(changes), words('puppet agent --test'))).toBe(expected);
  });

  it.each([
    ['puppet agent --test', true],
    ['nice /opt/puppetlabs/bin/puppet agent --onetime --no-daemonize', true],
    ['puppet agent --test --environment=staging', false],
    ['puppet agent --test --noop', false],
    ['puppet apply /etc/site.pp', false],
    ['/usr/local/bin/run-puppet', false],
  ])('a run of the agent covers a job where run_cmd is “%s”', (runCommand, expected) => {
    expect(isCoveredBy(agent, request(), words(runCommand))).toBe(expected);
  });

  it.each([
    [words('/usr/bin/ruby /usr/bin/puppet apply /etc/site.pp'), '/root', 'puppet apply /etc/site.pp', true],
    [words('ruby /usr/bin/puppet apply /etc/site.pp --detailed-exitcodes'), '/root', 'puppet apply /etc/site.pp', true],
    [words('ruby /usr/bin/puppet apply /etc/other.pp'), '/root', 'puppet apply /etc/site.pp', false],
    [words('ruby /usr/bin/puppet apply --tags x /etc/site.pp'), '/root', 'puppet apply /etc/site.pp', false],
    [words('ruby /usr/bin/puppet apply site.pp'), '/root', 'puppet apply site.pp', false],
    [words('ruby /usr/bin/puppet apply site.pp'), '/', 'puppet apply site.pp', true],
    [
      words('ruby /usr/bin/puppet apply --modulepath=m/x /etc/s.pp'),
      '/root',
      'puppet apply --modulepath=m/x /etc/s.pp',
      false,
    ],
    [words('ruby /usr/bin/puppet apply /etc/site.pp'), '/root', 'puppet agent --test', false],
  ])('a run %j in %s covers a job where run_cmd is “%s”: %s', (argv, cwd, runCommand, expected) => {
    expect(isCoveredBy(apply(argv, cwd), request(), words(runCommand))).toBe(expected);
  });
});

describe('the agent’s last run', () => {
  const summary = (changes: Record<string, string | number> = {}) => {
    const { mode = 'agent', skipped = 0, changed = 1, environment = 'production' } = changes;
    return `application:\n  run_mode: ${mode}\n  initial_environment: ${environment}\nresources:\n  changed: ${changed}\n  skipped: ${skipped}\ntime:\n  last_run: 1795200010\nversion:\n  config: 7\n`;
  };
  const startedAt = Date.parse('2026-11-20T18:40:05.250Z');
  const report = `--- !ruby/object:Puppet::Transaction::Report
host: lb01
time: '2026-11-20T18:40:05.250000000+00:00'
transaction_uuid: 0a041704-b9ca-4058-aeb3-aa27b9d38f63
status: changed
transaction_completed: true
noop: false
resource_statuses:
  Notify[x]:
    noop: true
    status: nested
cached_catalog_status: not_used
`;
  const read = (summaryText: string | FileText | undefined, reportText: string | FileText) => {
    return readAgentRun(puppetHost({ '/s/summary': summaryText, '/s/report': reportText }), puppetSettings);
  };

  it('the agent’s last run is known by its files', async () => {
    expect(await read(summary(), report)).toMatchObject({
      what: { kind: 'agent' },
      startedAt,
      finishedAt: 1795200010_000,
      exitCode: 2,
      facts: { changed: 1, report: '0a041704-b9ca-4058-aeb3-aa27b9d38f63', status: 'changed' },
    });
  });

  it.each([
    ['an apply', summary({ mode: 'user' }), report],
    ['a run with --tags', summary({ skipped: 8 }), report],
    ['a run of our own', summary(), `${report}job_id: triggerd-7.1@lb01\n`],
    ['a run in an environment of its own', summary({ environment: 'feature' }), report],
    ['a cached catalog', summary(), report.replace('not_used', 'on_failure')],
    ['a summary of an earlier run', summary(), report.replace('18:40:05', '18:40:11')],
    ['a run in noop', summary(), report.replace('noop: false', 'noop: true')],
    ['a failed run', summary(), report.replace('status: changed', 'status: failed')],
    ['a run that was ended', summary(), report.replace('completed: true', 'completed: false')],
    ['a report without time', summary(), report.replace(/time: .*/, '')],
    ['half a summary', 'application:\n  run_', report],
    ['no summary', undefined, report],
    ['no report', summary(), ''],
    ['a report of another node', summary(), report.replace('host: lb01', 'host: lb02')],
    ['a summary that is refused', { kind: 'refused', why: 'it belongs to user 103' } as const, report],
    ['a report that is refused', summary(), { kind: 'refused', why: 'it belongs to user 103' } as const],
  ])('%s is no last run of the agent', async (_name, summaryText, reportText) => {
    expect(await read(summaryText, reportText)).toBeNull();
  });
});
