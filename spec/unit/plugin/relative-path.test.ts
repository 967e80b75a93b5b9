import { describe, expect, it } from 'vitest';
import { relativePath } from '../../../src/plugin/puppet/relative-path.ts';

const named = (command: string) => relativePath(command.split(' '))?.what.match(/“(.*)”/)?.[1];

describe('a run_cmd, which runs in /', () => {
  it.each([
    ['puppet apply manifest.pp', 'manifest.pp'],
    ['puppet apply --noop manifests/site.pp', 'manifests/site.pp'],
    ['sudo -u deploy puppet apply site.pp', 'site.pp'],
    ['env -C puppet puppet apply site.pp', 'puppet'],
    ['puppet apply --modulepath /a:modules /x.pp', 'modules'],
    ['puppet agent --test --confdir=conf', 'conf'],
    ['bin/deploy now', 'bin/deploy'],
    ['nice ./deploy', './deploy'],
  ])('a run_cmd with a relative path is named, because it runs in /: %s', (command, path) => {
    expect(named(command)).toBe(path);
  });

  it.each([
    'puppet agent --test',
    'puppet apply /etc/puppet/site.pp',
    'puppet apply -e site.pp',
    'puppet apply --modulepath /a:/b /x.pp --tags a,b',
    'env -C /srv/puppet puppet apply site.pp',
    'env -C /srv/puppet ./deploy',
    'ssh lb02 puppet apply site.pp',
    'sudo -i puppet apply site.pp',
    'chroot /srv/root puppet apply site.pp',
    'deploy now.pp',
    'true',
    '',
  ])('a run_cmd without a recognizable relative path is accepted: %s', (command) => {
    expect(named(command)).toBeUndefined();
  });
});
