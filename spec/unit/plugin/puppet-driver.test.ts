import { describe, expect, it } from 'vitest';
import type { RunningJob } from '../../../src/domain/job.ts';
import { readManifest } from '../../../src/plugin/manifest.ts';
import type { FileText, ProcessFacts, PuppetHost } from '../../../src/plugin/ports.ts';
import { completePuppetCommand, readPuppetCommand } from '../../../src/plugin/puppet/command-line.ts';
import { createPuppetDriver } from '../../../src/plugin/puppet/puppet-driver.ts';
import type { RunExit, RunTerms } from '../../../src/queue/ports/runner.ts';
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
  processes: Record<number, ProcessFacts> = {},
  runCommand = ['puppet', 'agent', '--test'],
  error: string | null = null,
) => {
  const firstError = async () => error;
  return createPuppetDriver({ host: puppetHost(files, processes), node: 'lb01', runCommand, firstError });
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

const agentProcess: ProcessFacts = { name: 'puppet', argv: ['/usr/bin/ruby', '/usr/bin/puppet', 'agent'] };

const terms: RunTerms = {
  driver: 'puppet',
  successExitCodes: [0, 2],
  argv: ['puppet', 'agent', '--job-id', 'triggerd-7.1@lb01', '--test'],
};

const exited = (code: number, startedAtMs = startedAt): RunExit => ({
  startedAt: startedAtMs,
  finishedAt: startedAtMs + 1000,
  times: { realS: 1, userS: 1, systemS: 0 },
  exit: { kind: 'exited', code },
  cause: 'itself',
  outputBytes: 0,
});

const metrics = `metrics:
  resources:
    name: resources
    label: Resources
    values:
    - - total
      - Total
      - 12
    - - skipped
      - Skipped
      - 2
    - - failed
      - Failed
      - 1
    - - failed_to_restart
      - Failed to restart
      - 0
    - - changed
      - Changed
      - 4
  time:
    name: time
    label: Time
    values:
    - - file
      - File
      - 0.5
    - - total
      - Total
      - 0.9
`;
/** As Puppet writes it; ours unless `more` says otherwise. */
const report = (more: Record<string, string> = {}, logs = '', statuses = ''): string => {
  const head = {
    host: 'lb01',
    time: "'2026-11-20T12:00:00.501000000+00:00'",
    configuration_version: '1795179379',
    transaction_uuid: '0c1d2e3f-4a5b',
    status: 'changed',
    noop: 'false',
    environment: 'production',
    job_id: 'triggerd-7.1@lb01',
    cached_catalog_status: 'not_used',
    ...more,
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\n`);
  return `--- !ruby/object:Puppet::Transaction::Report\n${lines.join('')}logs:\n${logs}${metrics}${statuses}`;
};

describe('the end of a Puppet run', () => {
  it.each([
    [0, 'succeeded'],
    [2, 'succeeded'],
    [4, 'failed'],
    [6, 'failed'],
    [1, 'failed'],
  ])('a Puppet run with exit code %i and no lock has the result %s', async (code, kind) => {
    const verdict = await driverOn({}).conclude(job, exited(code), terms);
    expect(verdict).toMatchObject({ kind: 'result', result: { kind, exitCode: code } });
  });

  const details = async (files: Record<string, string | FileText>, code = 2, started = terms.argv, of = job) => {
    const verdict = await driverOn(files).conclude(of, exited(code), { ...terms, argv: started });
    return verdict.kind === 'result' ? verdict.details : verdict;
  };
  const noReport = {
    puppet: {
      missing: 'Puppet wrote no report of this run; the existing report belongs to another run',
    },
  };

  it('a Puppet run’s counts and IDs come from its own report', async () => {
    expect(await details({ '/s/report': report() })).toMatchObject({
      puppet: {
        changed: 4,
        failed: 1,
        failed_to_restart: 0,
        skipped: 2,
        total: 12,
        duration_s: 0.9,
        config_version: '1795179379',
        report: '0c1d2e3f-4a5b',
        status: 'changed',
        job_id: 'triggerd-7.1@lb01',
        noop: false,
        environment: 'production',
        cached_catalog: false,
        tags: null,
        report_file: '/s/report',
      },
    });
  });

  it('a Puppet run’s noop is the report’s value, not what was requested', async () => {
    const files = {
      '/s/report': report({ noop: 'true', environment: 'testing', cached_catalog_status: 'on_failure' }),
    };
    expect(await details(files, 0)).toMatchObject({
      puppet: { noop: true, environment: 'testing', cached_catalog: true },
    });
    expect(await details({ '/s/report': report() }, 2, [...terms.argv, '--tags', 'web'])).toMatchObject({
      puppet: { tags: 'web' },
    });
  });

  it.each<[string, Record<string, string>]>([
    ['of a run with another job’s id', { job_id: 'triggerd-6.1@lb01' }],
    ['of an earlier attempt', { job_id: 'triggerd-7.0@lb01' }],
    ['of a run of somebody else', { job_id: 'mine' }],
  ])('a report %s is another run’s, whatever its time', async (_what, head) => {
    expect(await details({ '/s/report': report(head) })).toEqual(noReport);
  });

  it.each<[string, number, Record<string, string>, boolean]>([
    ['began and ended while the run did', 2, {}, true],
    ['began before the run', 2, { time: "'2026-11-20T12:00:00.499000000+00:00'" }, false],
    ['ended after the run', 2, { time: "'2026-11-20T12:00:00.601000000+00:00'" }, false],
    ['came to another end', 0, {}, false],
    ['has no time', 2, { time: "''" }, false],
  ])('without an ID or a path of its own, a report that %s (exit %i): %j is %s', async (_what, code, head, isOurs) => {
    const argv = ['puppet', 'apply', '--detailed-exitcodes', 'x.pp'];
    expect(await details({ '/s/report': report(head) }, code, argv)).toMatchObject(
      isOurs ? { puppet: { report: '0c1d2e3f-4a5b' } } : noReport,
    );
  });

  describe('of puppet apply', () => {
    const apply = { ...job, request: jobRequest({ plugin: 'puppet', argv: ['puppet', 'apply', 'x.pp'] }) };
    const place = `/s/.report.triggerd-7.1-${startedAt.toString(36)}`;

    it('puppet apply has a report at a path of its own, which is moved to the standard one', async () => {
      const host = puppetHost({
        [place]: report({ job_id: '' }),
        '/s/report': report({ transaction_uuid: 'another' }),
      });
      const driver = createPuppetDriver({ host, node: 'lb01', runCommand: [], firstError: async () => null });
      const argv = (await driver.startArgv?.(plugin, apply)) ?? [];
      expect(argv).toContain(`--lastrunreport=${place}`);
      const verdict = await driver.conclude(apply, exited(2), { ...terms, argv });
      expect(verdict).toMatchObject({ details: { puppet: { report: '0c1d2e3f-4a5b', report_file: '/s/report' } } });
      expect(host.placed).toEqual(['/s/report']);
    });

    it('puppet apply has no facts where its own path is empty, whatever is at the standard one', async () => {
      const argv = ['puppet', 'apply', `--lastrunreport=${place}`, 'x.pp'];
      expect(await details({ '/s/report': report() }, 2, argv, apply)).toEqual({
        puppet: { missing: 'Puppet wrote no report of this run' },
      });
    });

    it('puppet apply moves no file that a command line only names', async () => {
      const host = puppetHost({ '/etc/.shadow.triggerd-6.1-x': report() });
      const driver = createPuppetDriver({ host, node: 'lb01', runCommand: [], firstError: async () => null });
      const argv = ['puppet', 'apply', '--lastrunreport=/etc/.shadow.triggerd-6.1-x', 'x.pp'];
      await driver.conclude(apply, exited(2), { ...terms, argv });
      expect(host.placed).toEqual([]);
    });
  });

  it('the reason of a failure is the first error of the report, otherwise of the output', async () => {
    const log = (level: string, message: string, source = 'Puppet') =>
      `- level: ${level}\n  message: ${message}\n  source: "${source}"\n`;
    const failing = (logs: string, statuses = '') =>
      driverOn({ '/s/report': report({}, logs, statuses) }, {}, undefined, 'of the output').conclude(
        job,
        exited(1),
        terms,
      );
    const logs = `${log('info', 'Loading facts')}${log('err', "'Facter: no such fact'")}${log('err', '"Could not retrieve\n    catalog: no such thing"')}${log('err', 'skipping run')}`;
    expect(await failing(logs)).toMatchObject({
      result: { kind: 'failed', exitCode: 1, reason: 'Could not retrieve catalog: no such thing' },
    });
    const statuses = 'resource_statuses:\n  Exec[a]:\n    resource: Exec[a]\n    failed: true\n';
    expect(await failing(log('err', 'returned 1', '/Stage[main]/Exec[a]/returns'), statuses)).toMatchObject({
      result: { kind: 'failed', exitCode: 1, reason: '/Stage[main]/Exec[a]/returns: returned 1' },
    });
    expect(await failing('')).toMatchObject({ result: { reason: 'of the output' } });
  });

  it.each([
    [0, '4', 6],
    [0, '0', 4],
    [2, '4', 6],
  ])(
    'a report that failed is believed more than exit %i: with %s changed it stands for %i',
    async (code, changed, exitCode) => {
      const text = report({ status: 'failed' }).replace('Changed\n      - 4', `Changed\n      - ${changed}`);
      expect(await driverOn({ '/s/report': text }).conclude(job, exited(code), terms)).toMatchObject({
        result: { kind: 'failed', exitCode, reason: `exit ${code}, but Puppet’s report says that the run failed` },
      });
    },
  );

  it('a run in a shell is found in its text, and its report by the times', async () => {
    const argv = ['sudo', '-n', 'sh', '-c', 'cd /srv && exec puppet apply --vardir=/v "x y.pp"; true'];
    const shell = { ...job, request: jobRequest({ plugin: 'puppet', argv }) };
    expect(
      await driverOn({ '/s/report': report({ status: 'failed' }) }).conclude(shell, exited(0), { ...terms, argv }),
    ).toMatchObject({ result: { kind: 'failed', exitCode: 6 } });
    const before = report({ status: 'failed', time: "'2026-11-20T11:00:00.501000000+00:00'" });
    expect(await driverOn({ '/s/report': before }).conclude(shell, exited(0), { ...terms, argv })).toMatchObject({
      result: { kind: 'succeeded' },
      details: noReport,
    });
  });

  it('exit 1 with the agent disabled is a deferral that gives the administrator’s reason', async () => {
    const driver = driverOn({ '/s/disabled': '{"disabled_message":"maintenance until 5"}' });
    expect(await driver.conclude(job, exited(1), terms)).toEqual({
      kind: 'deferred',
      deferral: { reason: 'Puppet agent is disabled: maintenance until 5', paths: ['/s/disabled'] },
    });
  });

  it('exit 1 with a live run holding the lock is a deferral, and so is a lock before the start', async () => {
    const driver = driverOn({ '/s/lock': '4711' }, { 4711: agentProcess });
    const deferral = { reason: 'another Puppet run holds the agent’s lock (pid 4711)', paths: ['/s/lock'] };
    expect(await driver.conclude(job, exited(1), terms)).toEqual({ kind: 'deferred', deferral });
    expect(await driver.obstacle(job)).toEqual(deferral);
  });

  it.each<[string, ProcessFacts]>([
    ['that has renamed itself', { name: 'puppet', argv: ['puppet agent: applying configuration'] }],
    ['started by its interpreter', { name: 'ruby2.7', argv: ['ruby', '/usr/bin/puppet', 'agent'] }],
    ['with a name of its own', { name: 'puppet-agent', argv: [] }],
  ])('a lock of an agent %s is held', async (_what, process) => {
    expect(await driverOn({ '/s/lock': ' 4711\n' }, { 4711: process }).obstacle(job)).not.toBeNull();
  });

  it.each<[string, string, Record<number, ProcessFacts>]>([
    ['of a dead process', '4711', {}],
    ['of a process that is not Puppet', '4711', { 4711: { name: 'sshd', argv: ['/usr/sbin/sshd'] } }],
    [
      'of a process that only reads Puppet’s log',
      '4711',
      { 4711: { name: 'tail', argv: ['tail', '-f', '/l/puppet.log'] } },
    ],
    ['of an editor of puppet.conf', '4711', { 4711: { name: 'vim', argv: ['vim', '/etc/puppet/puppet.conf'] } }],
    ['of another program in Ruby', '4711', { 4711: { name: 'ruby', argv: ['ruby', '/usr/bin/irb'] } }],
    ['of a server of Puppet', '4711', { 4711: { name: 'puppetserver', argv: ['java'] } }],
    ['that is empty', '', {}],
    ['full of garbage', 'not a pid', {}],
    ['with more than a pid', '4711 4712', { 4711: agentProcess }],
  ])('a lock %s is stale', async (_what, text, processes) => {
    expect(await driverOn({ '/s/lock': text }, processes).obstacle(job)).toBeNull();
  });

  it('a FIFO in place of “disabled” is a deferral that names it, because Puppet would wait for it', async () => {
    const driver = driverOn({ '/s/disabled': { kind: 'refused', why: 'it is a FIFO, not a regular file' } });
    const reason = 'Puppet agent is disabled: /s/disabled is not read: it is a FIFO, not a regular file';
    expect(await driver.obstacle(job)).toEqual({ reason, paths: ['/s/disabled'] });
    expect(await driver.conclude(job, exited(1), terms)).toMatchObject({ kind: 'deferred', deferral: { reason } });
  });

  it('a lock that is not root’s names its owner', async () => {
    const driver = driverOn({ '/s/disabled': { kind: 'read', uid: 103, text: '{"disabled_message":"ha"}' } });
    expect(await driver.obstacle(job)).toMatchObject({
      reason: 'Puppet agent is disabled: ha (/s/disabled belongs to user 103)',
    });
  });

  it('a lock that triggerd may not read defers nothing: Puppet itself reports it', async () => {
    const forbidden = { kind: 'forbidden' } as const;
    expect(await driverOn({ '/s/disabled': forbidden, '/s/lock': forbidden }).obstacle(job)).toBeNull();
  });

  it('a report that is refused costs its facts, says so, and nothing else', async () => {
    const refused = { kind: 'refused', why: 'it belongs to user 103' } as const;
    expect(await driverOn({ '/s/report': refused }).conclude(job, exited(2), terms)).toEqual({
      kind: 'result',
      result: { kind: 'succeeded', exitCode: 2 },
      details: { puppet: { missing: '/s/report is not read: it belongs to user 103' } },
    });
  });

  it.each([
    ['flock -n /run/p.lock puppet apply x.pp', 75, true],
    ['flock --wait=5 --conflict-exit-code 99 /run/p.lock nice puppet agent -t', 99, true],
    ['flock -n /run/p.lock puppet apply x.pp', 1, false],
    ['flock -n -E 4 /run/p.lock puppet apply x.pp', 4, false],
    ['puppet apply x.pp', 75, false],
  ])('the wrapper “%s” that exits with %i has not run Puppet: %s', async (command, code, isDeferred) => {
    const argv = completePuppetCommand(readPuppetCommand(command.split(' ')), { jobId: 'x', noop: false, args: {} });
    const verdict = await driverOn({}).conclude(job, exited(code), { ...terms, argv });
    const deferral = { reason: 'another process holds the lock /run/p.lock', paths: ['/run/p.lock'] };
    expect(verdict).toMatchObject(isDeferred ? { kind: 'deferred', deferral } : { result: { kind: 'failed' } });
  });

  it('puppet apply takes no lock, so no lock defers it', async () => {
    const apply = { ...job, request: jobRequest({ plugin: 'puppet', argv: ['puppet', 'apply', 'x.pp'] }) };
    const driver = driverOn({ '/s/disabled': '{}' });
    expect(await driver.obstacle(apply)).toBeNull();
    const applied = { ...terms, argv: ['puppet', 'apply', '--detailed-exitcodes', 'x.pp'] };
    expect(await driver.conclude(apply, exited(1), applied)).toMatchObject({
      result: { kind: 'failed', exitCode: 1 },
    });
  });

  it.each([
    [{ noop: true }, /cannot be given noop/],
    [{ args: { tags: 'haproxy' } }, /cannot be given tags/],
  ])(
    'a script that runs Puppet unrecognizably cannot honour %j, so the job is refused instead of run for real',
    (wish, message) => {
      const driver = createPuppetDriver({
        host: {} as PuppetHost,
        node: 'lb01',
        runCommand: ['/usr/local/sbin/run-puppet'],
        firstError: async () => null,
      });
      expect(() => driver.check(plugin, jobRequest({ plugin: 'puppet', ...wish }))).toThrow(message);
      expect(() => driver.check(plugin, jobRequest({ plugin: 'puppet' }))).not.toThrow();
      expect(() => driverOn({}).check(plugin, jobRequest({ plugin: 'puppet', ...wish }))).not.toThrow();
    },
  );

  it('a job runs the run_cmd that it was accepted with; one of an older journal runs the present one', () => {
    const settled = driverOn({}, {}, ['puppet', 'agent', '--before']).settled?.(jobRequest({ plugin: 'puppet' }));
    const now = driverOn({}, {}, ['puppet', 'agent', '--after']);
    const argvOf = (request = jobRequest({ plugin: 'puppet' })) => now.argv(plugin, { ...job, request });
    expect(argvOf(settled)).toContain('--before');
    expect(now.shown(plugin, settled ?? job.request)).toBe('puppet agent --before');
    expect(argvOf()).toContain('--after');
    const own = jobRequest({ plugin: 'puppet', argv: ['puppet', 'apply', '/x.pp'] });
    expect(now.settled?.(own)).toEqual(own);
  });

  it('a result names the command that was started, whatever run_cmd is by then', async () => {
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
