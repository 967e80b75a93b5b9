import { describe, expect, it } from 'vitest';
import { completePuppetCommand, readPuppetCommand, settingsQuery } from '../../../src/plugin/puppet/command-line.ts';

const complete = (command: string, options: { noop?: boolean; args?: Record<string, string> } = {}): string =>
  completePuppetCommand(readPuppetCommand(command.split(' ')), {
    jobId: 'triggerd-7.1@lb01',
    noop: options.noop ?? false,
    args: options.args ?? {},
  }).join(' ');

describe('the Puppet command line', () => {
  it('gives an agent with --test its job id and nothing that --test implies', () => {
    expect(complete('puppet agent --test')).toBe('puppet agent --job-id triggerd-7.1@lb01 --test');
    expect(complete('/opt/puppetlabs/bin/puppet agent -t')).toBe(
      '/opt/puppetlabs/bin/puppet agent --job-id triggerd-7.1@lb01 -t',
    );
  });

  it('keeps an agent without --test from going into the background', () => {
    expect(complete('puppet agent')).toBe(
      'puppet agent --detailed-exitcodes --onetime --no-daemonize --job-id triggerd-7.1@lb01',
    );
  });

  it('never gives puppet apply a job id, which it refuses', () => {
    expect(complete('puppet apply manifest.pp')).toBe('puppet apply --detailed-exitcodes manifest.pp');
  });

  it('leaves alone what the administrator has decided', () => {
    expect(complete('puppet apply --detailed-exitcodes x.pp')).toBe('puppet apply --detailed-exitcodes x.pp');
    expect(complete('puppet agent --test --job-id mine')).toBe('puppet agent --test --job-id mine');
    expect(complete('/usr/local/bin/my-run --fast')).toBe('/usr/local/bin/my-run --fast');
    expect(complete('puppet --version')).toBe('puppet --version');
  });

  it('adds noop once, and the plugin’s arguments', () => {
    expect(complete('puppet apply x.pp', { noop: true })).toBe('puppet apply --detailed-exitcodes --noop x.pp');
    expect(complete('puppet apply --noop x.pp', { noop: true })).toBe('puppet apply --detailed-exitcodes --noop x.pp');
    expect(complete('puppet agent -t', { args: { tags: 'haproxy', environment: 'testing' } })).toBe(
      'puppet agent --job-id triggerd-7.1@lb01 --tags=haproxy --environment=testing -t',
    );
  });

  it('finds Puppet behind env and nice', () => {
    expect(complete('nice -n 10 puppet apply x.pp')).toBe('nice -n 10 puppet apply --detailed-exitcodes x.pp');
  });

  it('asks Puppet for paths with the options that move them, and no others', () => {
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
    ['timeout -k 5 600 puppet', 'timeout -k 5 600 puppet', null],
    ['taskset -c 0 chrt -b 0 stdbuf -oL nohup setsid -w puppet', undefined, null],
  ])('%s: a question goes the same way', (command, words, user) => {
    expect(query(command)).toMatchObject({ command: (words ?? command).split(' '), user });
  });

  it('a question does not wait for a lock that a run holds', () => {
    expect(query('flock -w 600 /run/puppet.lock nice puppet')?.command).toEqual(['nice', 'puppet']);
  });

  it('says which programs run as whom, and where they are looked for', () => {
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
    'sudo -D /tmp puppet',
    'env -C /tmp puppet',
    'env -S x puppet',
    'sudo -u deploy /opt/wrap puppet',
    'runuser puppet',
    'systemd-run -t puppet',
  ])('%s: nobody is asked, and its options are still completed', (command) => {
    expect(query(command)).toBeUndefined();
    if (command !== 'runuser puppet') expect(complete(`${command} agent --test`)).toContain('--job-id');
  });
});
