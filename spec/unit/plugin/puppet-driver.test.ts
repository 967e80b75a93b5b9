import { describe, expect, it } from 'vitest';
import type { RunningJob } from '../../../src/domain/job.ts';
import { readManifest } from '../../../src/plugin/manifest.ts';
import type { FileText, PuppetHost } from '../../../src/plugin/ports.ts';
import { createPuppetDriver } from '../../../src/plugin/puppet/puppet-driver.ts';
import type { RunEnding, RunTerms } from '../../../src/queue/ports.ts';
import { jobRequest } from '../../support/jobs.ts';
import { puppetHost } from '../../support/puppet-host.ts';

const plugin = readManifest({
  name: 'puppet',
  executable: '/p/puppet/puppet',
  version: '1',
  manifestFile: '/p/puppet/plugin.toml',
  manifestText: 'summary = "x"\ndriver = "puppet"\nsuccess_exit_codes = [0, 2]',
});

const startedAt = Date.parse('2026-11-20T12:00:00.500Z');
const driverOn = (
  files: Record<string, string | FileText>,
  processes: Record<number, string[]> = {},
  runCommand = ['puppet', 'agent', '--test'],
) => {
  return createPuppetDriver({ host: puppetHost(files, processes), node: 'lb01', runCommand });
};

const job: RunningJob = {
  id: 7,
  request: jobRequest({ plugin: 'puppet' }),
  command: 'puppet agent --test',
  firings: [],
  attempt: 1,
  folder: '/j/7',
  enqueuedAt: startedAt,
  state: 'running',
  startedAt,
};

const terms: RunTerms = {
  driver: 'puppet',
  successExitCodes: [0, 2],
  argv: ['puppet', 'agent', '--job-id', 'triggerd-7.1@lb01', '--test'],
};

const exited = (code: number, startedAtMs = startedAt): RunEnding => ({
  startedAt: startedAtMs,
  finishedAt: startedAtMs + 1000,
  times: { realS: 1, userS: 1, systemS: 0 },
  exit: { kind: 'exited', code },
  cause: 'itself',
  outputBytes: 0,
});

const summary = (lastRun: number): string =>
  `---\nversion:\n  config: 1795179379\n  puppet: 7.23.0\nresources:\n  changed: 4\n  failed: 1\n  failed_to_restart: 0\n  total: 12\ntime:\n  total: 17.9\n  last_run: ${lastRun}\n`;
const report =
  '--- !ruby/object:Puppet::Transaction::Report\nhost: lb01\nlogs:\n- !ruby/object:Puppet::Util::Log\n  status: fake\ntransaction_uuid: 0c1d2e3f-4a5b\nstatus: changed\n';

describe('the end of a Puppet run', () => {
  it.each([
    [0, 'succeeded'],
    [2, 'succeeded'],
    [4, 'failed'],
    [6, 'failed'],
    [1, 'failed'],
  ])('exit %i without a lock is %s', async (code, kind) => {
    const verdict = await driverOn({}).conclude(job, exited(code), terms);
    expect(verdict).toMatchObject({ kind: 'result', result: { kind, exitCode: code } });
  });

  it('counts and ids come from the run’s own summary and report', async () => {
    const files = { '/s/summary': summary(Math.floor(startedAt / 1000)), '/s/report': report };
    const verdict = await driverOn(files).conclude(job, exited(2), terms);
    expect(verdict).toMatchObject({
      details: {
        puppet: {
          changed: 4,
          failed: 1,
          total: 12,
          duration_s: 17.9,
          report: '0c1d2e3f-4a5b',
          status: 'changed',
          job_id: 'triggerd-7.1@lb01',
          noop: false,
        },
      },
    });
  });

  it('a failure without a failed resource has the first error of the log as its reason', async () => {
    const log = (level: string, message: string) => `- level: ${level}\n  message: ${message}\n  source: Puppet\n`;
    const logs = `logs:\n${log('info', 'Loading facts')}${log('err', '"Could not retrieve\n    catalog: no such thing"')}${log('err', 'skipping run')}`;
    const failing = (statuses: string) =>
      driverOn({
        '/s/summary': summary(Math.floor(startedAt / 1000)),
        '/s/report': `${report}${logs}metrics: {}\n${statuses}`,
      }).conclude(job, exited(1), terms);
    expect(await failing('')).toMatchObject({
      result: { kind: 'failed', exitCode: 1, reason: 'Could not retrieve catalog: no such thing' },
    });
    const statuses = 'resource_statuses:\n  Exec[a]:\n    resource: Exec[a]\n    failed: true\n';
    expect(await failing(statuses)).toMatchObject({ result: { kind: 'failed', exitCode: 1 } });
    expect(await failing(statuses)).not.toHaveProperty('result.reason');
  });

  it('an older run’s summary is not this run’s', async () => {
    const files = { '/s/summary': summary(Math.floor(startedAt / 1000) - 1), '/s/report': report };
    expect(await driverOn(files).conclude(job, exited(1), terms)).toMatchObject({ details: {} });
  });

  it('a half-written summary is no summary', async () => {
    expect(await driverOn({ '/s/summary': '---\nresources: [' }).conclude(job, exited(2), terms)).toMatchObject({
      details: {},
    });
  });

  it('exit 1 with the agent disabled is a deferral that gives the administrator’s reason', async () => {
    const driver = driverOn({ '/s/disabled': '{"disabled_message":"maintenance until 5"}' });
    expect(await driver.conclude(job, exited(1), terms)).toEqual({
      kind: 'deferred',
      deferral: { reason: 'Puppet agent is disabled: maintenance until 5', paths: ['/s/disabled'] },
    });
  });

  it('exit 1 with a live run holding the lock is a deferral, and so is the look before the start', async () => {
    const driver = driverOn({ '/s/lock': '4711' }, { 4711: ['/usr/bin/ruby', '/usr/bin/puppet', 'agent'] });
    const deferral = { reason: 'another Puppet run holds the agent’s lock (pid 4711)', paths: ['/s/lock'] };
    expect(await driver.conclude(job, exited(1), terms)).toEqual({ kind: 'deferred', deferral });
    expect(await driver.obstacle(job)).toEqual(deferral);
  });

  it.each([
    ['of a dead process', '4711', {}],
    ['of a process that is not Puppet', '4711', { 4711: ['/usr/sbin/sshd'] }],
    ['that is empty', '', {}],
    ['full of garbage', 'not a pid', {}],
  ])('a lock %s is stale', async (_what, text, processes) => {
    expect(await driverOn({ '/s/lock': text }, processes).obstacle(job)).toBeNull();
  });

  it('a FIFO in the place of “disabled” is a deferral that names it, because Puppet would wait for it', async () => {
    const driver = driverOn({ '/s/disabled': { kind: 'refused', why: 'it is a FIFO, not a regular file' } });
    const reason = 'Puppet agent is disabled: /s/disabled is not read: it is a FIFO, not a regular file';
    expect(await driver.obstacle(job)).toEqual({ reason, paths: ['/s/disabled'] });
    expect(await driver.conclude(job, exited(1), terms)).toMatchObject({ kind: 'deferred', deferral: { reason } });
  });

  it('a lock that is none of root’s names its owner', async () => {
    const driver = driverOn({ '/s/disabled': { kind: 'read', uid: 103, text: '{"disabled_message":"ha"}' } });
    expect(await driver.obstacle(job)).toMatchObject({
      reason: 'Puppet agent is disabled: ha (/s/disabled belongs to user 103)',
    });
  });

  it('a lock that we may not read is in nobody’s way: Puppet says itself what it thinks of it', async () => {
    const forbidden = { kind: 'forbidden' } as const;
    expect(await driverOn({ '/s/disabled': forbidden, '/s/lock': forbidden }).obstacle(job)).toBeNull();
  });

  it('a summary and a report that are refused cost their facts, and nothing else', async () => {
    const refused = { kind: 'refused', why: 'it belongs to user 103' } as const;
    const plain = { result: { kind: 'succeeded', exitCode: 2 } };
    const noSummary = await driverOn({ '/s/summary': refused, '/s/report': report }).conclude(job, exited(2), terms);
    expect(noSummary).toMatchObject({ ...plain, details: {} });
    const own = summary(Math.floor(startedAt / 1000));
    const noReport = await driverOn({ '/s/summary': own, '/s/report': refused }).conclude(job, exited(2), terms);
    expect(noReport).toMatchObject({ ...plain, details: { puppet: { changed: 4, report: null, report_file: null } } });
  });

  it('puppet apply takes no lock, so none is in its way', async () => {
    const apply = { ...job, request: jobRequest({ plugin: 'puppet', argv: ['puppet', 'apply', 'x.pp'] }) };
    const driver = driverOn({ '/s/disabled': '{}' });
    expect(await driver.obstacle(apply)).toBeNull();
    const applied = { ...terms, argv: ['puppet', 'apply', '--detailed-exitcodes', 'x.pp'] };
    expect(await driver.conclude(apply, exited(1), applied)).toMatchObject({
      result: { kind: 'failed', exitCode: 1 },
    });
  });

  it.each([
    [{ noop: true }, /can not be given noop/],
    [{ args: { tags: 'haproxy' } }, /can not be given tags/],
  ])(
    'a script that runs Puppet somehow can not honour %j, so it is refused instead of run for real',
    (wish, message) => {
      const driver = createPuppetDriver({
        host: {} as PuppetHost,
        node: 'lb01',
        runCommand: ['/usr/local/sbin/run-puppet'],
      });
      expect(() => driver.check(plugin, jobRequest({ plugin: 'puppet', ...wish }))).toThrow(message);
      expect(() => driver.check(plugin, jobRequest({ plugin: 'puppet' }))).not.toThrow();
      expect(() => driverOn({}).check(plugin, jobRequest({ plugin: 'puppet', ...wish }))).not.toThrow();
    },
  );

  it('what was run is what was started, whatever run_cmd is by then', async () => {
    const driver = driverOn({ '/s/disabled': '{}' }, {}, ['/usr/local/sbin/run-puppet']);
    expect(await driver.conclude(job, exited(1), terms)).toMatchObject({ kind: 'deferred' });
  });

  it('a timeout and a kill are neither success nor failure of Puppet', async () => {
    expect(await driverOn({}).conclude(job, { ...exited(1), cause: 'timeout' }, terms)).toMatchObject({
      result: { kind: 'timed-out' },
    });
    const killed = { ...exited(0), exit: { kind: 'signalled', signal: 'SIGKILL' } as const, cause: 'kill' as const };
    expect(await driverOn({}).conclude(job, killed, terms)).toMatchObject({
      result: { kind: 'killed', signal: 'SIGKILL' },
    });
  });
});
