import { describe, expect, it } from 'vitest';
import {
  completePuppetCommand,
  readPuppetCommand,
  settingsQuery,
  unobservedRuns,
} from '../../../src/plugin/puppet/command-line.ts';
import { ownReportIn, ownReportOf } from '../../../src/plugin/puppet/own-report.ts';

const complete = (command: string, options: { noop?: boolean; args?: Record<string, string> } = {}): string =>
  completePuppetCommand(readPuppetCommand(command.split(' ')), {
    jobId: 'triggerd-7.1@lb01',
    noop: options.noop ?? false,
    args: options.args ?? {},
  }).join(' ');

describe('the Puppet command line', () => {
  it('the Puppet command line gives an agent with --test its job ID and no option that --test implies', () => {
    expect(complete('puppet agent --test')).toBe('puppet agent --color=false --job-id triggerd-7.1@lb01 --test');
    expect(complete('/opt/puppetlabs/bin/puppet agent -t')).toBe(
      '/opt/puppetlabs/bin/puppet agent --color=false --job-id triggerd-7.1@lb01 -t',
    );
  });

  it('the Puppet command line keeps an agent without --test in the foreground', () => {
    expect(complete('puppet agent')).toBe(
      'puppet agent --detailed-exitcodes --color=false --onetime --no-daemonize --job-id triggerd-7.1@lb01',
    );
  });

  it('the Puppet command line never gives puppet apply a job ID, which it refuses', () => {
    expect(complete('puppet apply manifest.pp')).toBe('puppet apply --detailed-exitcodes --color=false manifest.pp');
  });

  it('the Puppet command line leaves the administrator’s options alone', () => {
    const given = 'puppet apply --detailed-exitcodes --color ansi x.pp';
    expect(complete(given)).toBe(given);
    expect(complete('puppet agent --test --no-color --job-id mine')).toBe(
      'puppet agent --test --no-color --job-id mine',
    );
    expect(complete('/usr/local/bin/my-run --fast')).toBe('/usr/local/bin/my-run --fast');
    expect(complete('puppet --version')).toBe('puppet --version');
  });

  it('the Puppet command line puts noop and the plugin’s arguments last, because Puppet takes the last', () => {
    const before = 'puppet apply --detailed-exitcodes --color=false';
    expect(complete('puppet apply x.pp', { noop: true })).toBe(`${before} --noop x.pp`);
    expect(complete('puppet apply --noop x.pp', { noop: true })).toBe(`${before} --noop x.pp`);
    expect(complete('puppet apply --no-noop x.pp', { noop: true })).toBe(`${before} --noop x.pp`);
    expect(complete('puppet agent -t', { args: { tags: 'haproxy', environment: 'testing' } })).toBe(
      'puppet agent --color=false --job-id triggerd-7.1@lb01 --tags=haproxy --environment=testing -t',
    );
    expect(complete('puppet apply --tags base --skip_tags=a x.pp', { args: { tags: 'haproxy' } })).toBe(
      `${before} --tags=haproxy --skip_tags=a x.pp`,
    );
  });

  it.each([
    ['nice -n 10', undefined],
    ['env -C /srv/puppet', undefined],
    ['env -u A -i LANG=C', undefined],
    ['sudo -u puppet', undefined],
    ['sudo -i -u puppet', undefined],
    ['runuser -u puppet --', undefined],
    ['flock -n /run/puppet.lock', 'flock -E 75 -n /run/puppet.lock'],
    ['flock -w 5 -E 1 /run/puppet.lock', undefined],
    ['flock /run/puppet.lock', undefined],
    ['flock --conflict-exit-code 75 /run/puppet.lock nice', undefined],
    ['chroot --userspec=puppet /srv', undefined],
    ['systemd-run --scope --quiet', undefined],
    ['systemd-run --pipe -p Nice=5', undefined],
    ['systemd-run -p Nice=5', 'systemd-run --wait -p Nice=5'],
    ['setsid', 'setsid --wait'],
    ['setsid -w', undefined],
    ['/opt/wrap --with x', undefined],
    ['ssh puppet', undefined],
    ['sudo -X puppet', undefined],
  ])('Puppet is found behind “%s”, and waited for', (before, started) => {
    const additions = '--detailed-exitcodes --color=false';
    expect(complete(`${before} puppet apply x.pp`)).toBe(`${started ?? before} puppet apply ${additions} x.pp`);
  });

  it('the Puppet command line splits what env would split', () => {
    const split = (...argv: string[]) =>
      readPuppetCommand(['nice', 'env', ...argv])
        .argv.slice(1)
        .join(' ');
    expect(split('-S', 'A=1 puppet apply', 'x.pp')).toBe('env A=1 puppet apply x.pp');
    expect(split('-iS', "puppet apply 'x y.pp'")).toBe('env -i puppet apply x y.pp');
    expect(split('-u', 'B', '--split-string=puppet agent')).toBe('env -u B puppet agent');
    expect(split('-S', 'puppet agent $MORE')).toBe('env -S puppet agent $MORE');
  });

  it('the Puppet command line gives a report a path of its own after a given one, because Puppet takes the last', () => {
    const job = { id: 7, attempt: 1, enqueuedAt: 36 };
    const ownReport = ownReportOf(job, '/v/report.yaml');
    const started = (command: string) =>
      completePuppetCommand(readPuppetCommand(command.split(' ')), { jobId: '', noop: false, args: {}, ownReport });
    const own = '--lastrunreport=/v/.report.yaml.triggerd-7.1-10';
    expect(started('puppet apply x.pp').slice(-2)).toEqual([own, 'x.pp']);
    expect(started('puppet apply --lastrunreport=/v/report.yaml x.pp').slice(-3)).toEqual([
      '--lastrunreport=/v/report.yaml',
      own,
      'x.pp',
    ]);
    expect(started('puppet apply --lastrunreport /v/report.yaml x.pp').slice(-3)).toEqual([
      '/v/report.yaml',
      own,
      'x.pp',
    ]);
    expect(ownReportIn(started('puppet apply x.pp'), job)).toEqual(ownReport);
    expect(ownReportIn(started('puppet apply x.pp'), { ...job, attempt: 2 })).toBeUndefined();
    // What was started is asked about with the same question as what is to be started.
    const asked = readPuppetCommand('puppet apply --vardir=/v x.pp'.split(' '));
    expect(settingsQuery(readPuppetCommand(started('puppet apply --vardir=/v x.pp')))).toEqual(settingsQuery(asked));
  });

  it.each([
    ['sh -c', 'cd /srv && puppet apply --confdir /c x.pp; true', ['--confdir=/c']],
    ['sudo -n bash -lc', "exec /usr/bin/puppet agent -t --vardir='/v x'", ['--vardir=/v x']],
    ['flock -n /l -c', 'puppet apply x.pp', []],
    ['sh -c', 'nice puppet agent -t | logger', []],
    ['sh -c', 'puppet apply $OPTIONS', undefined],
    ['sh -c', 'run-puppet', undefined],
    ['su puppet -c', 'puppet apply x.pp', undefined],
    ['ssh lb02', 'puppet apply x.pp', undefined],
  ])('the command line %s “%s” is left unchanged, and Puppet queried with %j', (before, text, options) => {
    const command = readPuppetCommand([...before.split(' '), text]);
    expect(command.kind).toBe('other');
    expect(completePuppetCommand(command, { jobId: 'x', noop: false, args: {} })).toEqual([...before.split(' '), text]);
    expect(settingsQuery(command)?.options).toEqual(options);
  });

  it('a query to Puppet has the options that move its paths, and no others', () => {
    const command = readPuppetCommand('puppet apply --confdir /c --vardir=/v --noop --verbose x.pp'.split(' '));
    expect(settingsQuery(command)).toEqual({
      command: ['puppet'],
      programs: [{ program: 'puppet', user: null, searchPath: null }],
      user: null,
      section: 'user',
      options: ['--confdir=/c', '--vardir=/v'],
    });
    expect(settingsQuery(readPuppetCommand(['true']))).toBeUndefined();
  });
});

describe('what is not seen of a run', () => {
  const warning = (command: string) => unobservedRuns(command.split(' '))?.what ?? null;

  it.each([
    'puppet agent --test',
    'sudo -u puppet puppet apply x.pp',
    'env -C /srv puppet apply x.pp',
    '/opt/run-puppet',
  ])('a run of “%s” hides nothing from triggerd', (command) => expect(warning(command)).toBeNull());

  it.each([
    ['sh', '-c'],
    ['su', 'puppet', '-c'],
    ['sudo', '-i', 'sh', '-ec'],
    ['runuser', '-l', 'puppet', '-c'],
    ['flock', '/l', '-c'],
  ])('doctor is told of a shell or wrapper that hides a run: %s %s …', (...before) => {
    expect(unobservedRuns([...before, 'cd /srv && /usr/bin/puppet --debug apply x.pp'])?.what).toContain('in a shell');
    expect(unobservedRuns([...before, 'echo puppet; make apply'])).toBeNull();
  });

  it.each(['ssh lb02', 'chroot /srv', 'systemd-run --wait', '/opt/wrap'])(
    'doctor is told of the unknown wrapper “%s” before Puppet',
    (before) => {
      expect(warning(`${before} puppet agent --test`)).toContain(`through “${before}”`);
    },
  );
});

describe('what stands before Puppet', () => {
  const query = (command: string) => settingsQuery(readPuppetCommand(`${command} agent --test`.split(' ')));

  it.each([
    ['sudo -u deploy /home/deploy/bin/puppet', 'sudo -n -u deploy /home/deploy/bin/puppet', 'deploy'],
    ['/usr/bin/sudo -nu deploy puppet', '/usr/bin/sudo -n -nu deploy puppet', 'deploy'],
    ['sudo --user=#1000 -H -- puppet', 'sudo -n --user=#1000 -H -- puppet', '#1000'],
    ['sudo -udeploy A=b puppet', 'sudo -n -udeploy A=b puppet', 'deploy'],
    ['sudo puppet', 'sudo -n puppet', 'root'],
    ['sudo -u puppet puppet', 'sudo -n -u puppet puppet', 'puppet'],
    ['doas -u deploy puppet', 'doas -n -u deploy puppet', 'deploy'],
    ['runuser -u deploy -- puppet', 'runuser -u deploy -- puppet', 'deploy'],
    ['setpriv --reuid=7 --clear-groups puppet', 'setpriv --reuid=7 --clear-groups puppet', '7'],
    ['setpriv --no-new-privs puppet', 'setpriv --no-new-privs puppet', null],
    ['env -i LANG=C puppet', 'env -i LANG=C puppet', null],
    ['nice -n 10 ionice -c3 puppet', 'nice -n 10 ionice -c3 puppet', null],
    ['nice -5 sudo -u deploy nice puppet', 'nice -5 sudo -n -u deploy nice puppet', 'deploy'],
    ['env -C /tmp puppet', 'env -C /tmp puppet', null],
    ['sudo -D /tmp -u deploy puppet', 'sudo -n -D /tmp -u deploy puppet', 'deploy'],
    ['timeout -k 5 600 puppet', 'timeout -k 5 600 puppet', null],
    ['taskset -c 0 chrt -b 0 stdbuf -oL nohup setsid -w puppet', undefined, null],
  ])('a query to Puppet goes through the same wrapper: %s', (command, words, user) => {
    expect(query(command)).toMatchObject({ command: (words ?? command).split(' '), user });
  });

  it('a query to Puppet does not wait for a lock that a run holds', () => {
    expect(query('flock -w 600 /run/puppet.lock nice puppet')?.command).toEqual(['nice', 'puppet']);
  });

  it('the programs before Puppet are listed with their users, and with their search paths', () => {
    expect(query('env PATH=/opt/bin:/bin sudo -u deploy puppet')?.programs).toEqual([
      { program: 'env', user: null, searchPath: null },
      { program: 'sudo', user: null, searchPath: '/opt/bin:/bin' },
      { program: 'puppet', user: 'deploy', searchPath: '/opt/bin:/bin' },
    ]);
  });

  it.each([
    '/usr/local/bin/wrap puppet',
    'ssh lb02 puppet',
    'chroot /srv/root puppet',
    'sudo -R /srv puppet',
    'sudo -i puppet',
    'env -C /tmp ./puppet',
    'env -S x puppet',
    'sudo -u deploy /opt/wrap puppet',
    'runuser puppet',
    'systemd-run -t puppet',
  ])('Puppet is not queried, and its options are still completed: %s', (command) => {
    expect(query(command)).toBeUndefined();
    if (command !== 'runuser puppet') expect(complete(`${command} agent --test`)).toContain('--job-id');
  });
});
