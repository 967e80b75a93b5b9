import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { bootContainer, type Container } from '../support/container.ts';
import { root } from '../support/node.ts';
import { until } from '../support/wait.ts';

const puppetAndEtcd = { name: 'puppet', installed: ['puppet-agent'], installable: ['etcd-server', 'etcd-client'] };

const example = (name: string): string => readFileSync(join(root, 'puppet-module/examples', name), 'utf8');

describe.each([
  { release: 'bookworm', puppet: /^7\./, etcd: /3\.4\./ },
  { release: 'trixie', puppet: /^8\./, etcd: /3\.5\./ },
] as const)(
  'the Puppet module on Debian $release',
  ({ release, puppet, etcd }) => {
    let host: Container;

    const write = (path: string, text: string) => host.must('sh', '-c', 'printf %s "$1" > "$0"', path, text);
    const apply = async (manifest: string): Promise<{ exitCode: number | undefined; output: string }> => {
      await write('/root/site.pp', manifest);
      const { exitCode, stdout, stderr } = await host.run(
        ...['puppet', 'apply', '--detailed-exitcodes', '--color', 'false', '--strict=error', '/root/site.pp'],
      );
      return { exitCode, output: stdout + stderr };
    };
    const converges = async (manifest: string): Promise<string> => {
      const first = await apply(manifest);
      expect(first.exitCode, first.output).toBe(2);
      const second = await apply(manifest);
      expect(second.exitCode, second.output).toBe(0);
      return first.output;
    };
    const fact = async () =>
      JSON.parse(await host.must('puppet', 'facts', 'show', '--render-as', 'json', 'trigger')).trigger;

    beforeAll(async () => {
      host = await bootContainer(release, puppetAndEtcd);
      await host.must('sh', '-c', 'cp /opt/triggerd/systemd/triggerd.service /etc/systemd/system/');
      await host.must(
        'sh',
        '-c',
        'ln -s /opt/triggerd/bin/triggerd /opt/triggerd/bin/trigger /usr/bin/ && ln -s /opt/triggerd /usr/lib/triggerd',
      );
      // A symbolic link: a tarball of the module is installed by spec/puppet/module-package.test.ts.
      await host.must(
        'sh',
        '-c',
        'mkdir -p /etc/puppet/code/modules /etc/puppet/manifests && ln -s /opt/triggerd/puppet-module /etc/puppet/code/modules/trigger',
      );
      await host.must('systemctl', 'daemon-reload');
    }, 600_000);
    afterAll(() => host?.stop(), 60_000);

    it(`the machine has Puppet ${puppet.source}`, async () => {
      expect(await host.must('puppet', '--version')).toMatch(puppet);
    });

    it('the module knows of no daemon before the first run', async () => {
      expect(await fact()).toMatchObject({ running: false, spool: { waiting: 0 } });
    });

    it('the module installs etcd, then configures and runs everything; the second run changes nothing', async () => {
      const output = await converges(example('node.pp'));
      // Without a network Facter finds no serverip, and Puppet says so.
      expect(output).not.toMatch(/Warning: (?!Could not retrieve either serverip)|Error/);
      expect(await host.must('etcd', '--version')).toMatch(etcd);
      await until(async () => (await fact()).etcd?.connected, 'the daemon to be connected', 30_000);
      expect((await host.run('systemctl', 'is-active', 'etcd', 'triggerd')).stdout).toMatch(
        // etcd ends by the signal, and its unit takes that for a failure.
        /^(inactive|failed)\nactive$/,
      );
    });

    it('the module’s fact shows the daemon', async () => {
      const shown = await until(
        async () => {
          const now = await fact();
          return now.etcd?.connected ? now : undefined;
        },
        'the daemon to be connected',
        30_000,
      );
      expect(shown).toMatchObject({
        running: true,
        node: 'lb01.example.com',
        watching: true,
        queues: { default: { queued: 0 } },
      });
      expect(shown).not.toHaveProperty('problem');
    });

    it('a trigger wakes the node, which applies its manifest', async () => {
      await write('/etc/puppet/manifests/site.pp', `file { '/root/woken': content => 'yes' }`);
      const fired = await apply(`
      file { '/root/cause': content => 'x', notify => Trigger['wake'] }
      trigger { 'wake': hosts => 'lb01.example.com' }`);
      expect(fired.output).toMatch(/Trigger\[wake\]: fired \w{26} to 1 node \(lb01\.example\.com\)/);
      const last = await until(async () => (await fact()).last_job, 'the job to end', 60_000);
      expect(last).toMatchObject({ queue: 'default', result: 'succeeded', exit_code: 2 });
      expect(await host.must('cat', '/root/woken')).toBe('yes');
    });

    it('a changed configuration restarts the daemon once', async () => {
      const output = await converges(
        example('node.pp').replace(/^(?= {4}'etcd' =>)/m, `    'jobs' => { 'grace' => '2s' },\n`),
      );
      expect(output).toMatch(/Service\[triggerd\]: Triggered 'refresh' from 1 event/);
      expect(output).not.toMatch(/Service\[etcd\]/);
    });

    it.each(['watch.pp', 'masterless.pp', 'services.pp', 'etcd-test.pp'])(
      'examples/%s applies without a change',
      async (name) => {
        await converges(example(name));
      },
    );

    it('the module installs and upgrades a package from a file and from a URL, and refuses one with another checksum', async () => {
      const build = `set -e; cd /root; for v in 1 2 3; do mkdir -p p$v/DEBIAN
      printf 'Package: thing\\nVersion: %s\\nArchitecture: all\\nMaintainer: x <x@x>\\nDescription: x\\n' $v > p$v/DEBIAN/control
      dpkg-deb --build p$v thing$v.deb; done; cp thing1.deb thing.deb`;
      await host.must('sh', '-c', build);
      const server = `require('http').createServer((_, out) => out.end(require('fs').readFileSync('/root/thing3.deb'))).listen(8000)`;
      await host.must('systemd-run', '--unit=files', 'node', '-e', server);
      const thing = (source: string): string =>
        `class { 'trigger': package_name => 'thing', manage_service => false, ${source} }`;
      const version = () => host.must('sh', '-c', "dpkg -s thing | sed -n 's/^Version: //p'");

      await converges(thing(`package_source => '/root/thing.deb'`));
      expect(await version()).toBe('1');
      await host.must('cp', '/root/thing2.deb', '/root/thing.deb');
      await converges(thing(`package_source => '/root/thing.deb'`));
      expect(await version()).toBe('2');

      const url = (checksum: string): string =>
        thing(`package_source => 'http://127.0.0.1:8000/thing.deb', package_checksum => '${checksum}'`);
      const refused = await apply(url('0'.repeat(64)));
      expect(refused.exitCode, refused.output).toBe(6);
      expect(await version()).toBe('2');
      await converges(url((await host.must('sha256sum', '/root/thing3.deb')).slice(0, 64)));
      expect(await version()).toBe('3');
    });

    it('etcd serves with the node’s certificate from Puppet', async () => {
      const paths = await host.must('puppet', 'config', 'print', 'localcacert', 'hostcert', 'hostprivkey');
      const [ca = '', cert = '', key = ''] = ['localcacert', 'hostcert', 'hostprivkey'].map(
        (name) => new RegExp(`^${name} = (.*)$`, 'm').exec(paths)?.[1],
      );
      const made = makeCertificates();
      onTestFinished(made.remove);
      await host.must('sh', '-c', 'for file; do mkdir -p "$(dirname "$file")"; done', 'sh', ca, cert, key);
      const given = { [ca]: 'ca.pem', [cert]: 'server.pem', [key]: 'server.key' };
      for (const [path, name] of Object.entries(given)) await write(path, readFileSync(made.file(name), 'utf8'));
      expect((await fact()).certificate).toEqual({ ca_file: ca, cert_file: cert, key_file: key });

      await converges(`class { 'trigger::install::etcd': tls => 'puppet' }`);
      expect(await host.must('stat', '-c', '%U:%G %a', '/etc/etcd/tls/key.pem')).toBe('root:etcd 640');
      const health = ['etcdctl', '--endpoints=https://127.0.0.1:2379', `--cacert=${ca}`, 'endpoint', 'health'];
      await host.must(...health, `--cert=${cert}`, `--key=${key}`);
      expect((await host.run(...health)).exitCode).not.toBe(0);
    });

    it('a Puppet run does not wait for the other members of a new etcd cluster', async () => {
      const members = { one: 'http://127.0.0.1:2380', two: 'http://127.0.0.1:12380', three: 'http://127.0.0.1:22380' };
      const hash = Object.entries(members).map(([name, url]) => `'${name}' => '${url}'`);
      await converges(
        `class { 'trigger::install::etcd': members => { ${hash.join(', ')} }, member_name => 'one', tls => 'none' }`,
      );
      expect((await host.run('etcdctl', '--command-timeout=1s', 'endpoint', 'health')).exitCode).not.toBe(0);

      const second = {
        name: 'two',
        'data-dir': '/tmp/etcd-two',
        'initial-cluster-token': 'trigger',
        'initial-cluster': Object.entries(members)
          .map((member) => member.join('='))
          .join(','),
        'listen-peer-urls': members.two,
        'initial-advertise-peer-urls': members.two,
        'listen-client-urls': 'http://127.0.0.1:12379',
        'advertise-client-urls': 'http://127.0.0.1:12379',
      };
      const flags = Object.entries(second).map(([flag, value]) => `--${flag}=${value}`);
      await host.must('systemd-run', '--unit=etcd-two', 'etcd', ...flags);
      await until(async () => (await host.run('etcdctl', 'endpoint', 'health')).exitCode === 0, 'a majority', 60_000);
      expect((await host.must('etcdctl', 'member', 'list')).split('\n')).toHaveLength(3);
    });
  },
  300_000,
);
