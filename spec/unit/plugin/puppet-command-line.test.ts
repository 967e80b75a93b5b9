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
      program: 'puppet',
      section: 'user',
      options: ['--confdir=/c', '--vardir=/v'],
    });
    expect(settingsQuery(readPuppetCommand(['true']))).toBeUndefined();
  });
});
