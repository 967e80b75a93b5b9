import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FiringView } from '../../src/api/contract/firings.ts';
import type { JobView } from '../../src/api/contract/jobs.ts';
import type { NodeView } from '../../src/api/contract/nodes.ts';
import { type Bridge, createBridge } from '../support/bridge.ts';
import { bootContainer, type Container } from '../support/container.ts';
import { root } from '../support/node.ts';
import { until } from '../support/wait.ts';

const addresses = {
  'server1.boxnet': '192.168.56.11',
  'server2.boxnet': '192.168.56.12',
  'server3.boxnet': '192.168.56.13',
} as const;
type Name = keyof typeof addresses;
const names = Object.keys(addresses) as Name[];

/** The provisioning script installs the packages: from apt's cache, for there is no other network than the cluster's. */
const box = {
  name: 'boxnet',
  installed: ['iproute2'],
  installable: ['puppet-agent', 'etcd-server', 'etcd-client'],
};

/**
 * The Vagrant cluster without Vagrant: its own provisioning script and manifests in three Debian 13 systems, each with a real
 * systemd, on a bridge of their own. Each test finds what the one before left.
 */
describe('the demo cluster', () => {
  let bridge: Bridge;
  const machines = {} as Record<Name, Container>;

  const provision = async (name: Name): Promise<string> => {
    const members = names.map((each) => `${each}=${addresses[each]}`);
    const { stdout, stderr, exitCode } = await machines[name].run('/vagrant/vagrant/provision.sh', ...members);
    expect(exitCode, `${name}: ${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  const json = async <T>(name: Name, ...args: string[]): Promise<T> =>
    JSON.parse(await machines[name].must('trigger', ...args, '--json')) as T;
  const fire = async (origin: Name, trigger: string, targets: readonly Name[]): Promise<string> =>
    (await json<{ id: string }>(origin, 'fire', trigger, '--host', targets.join(','))).id;
  const lastFiring = async (name: Name): Promise<FiringView> => {
    const [last] = await json<FiringView[]>(name, 'status');
    if (last === undefined) throw new Error('nothing was fired');
    return last;
  };
  const outcomes = async (name: Name, firing: string) => (await json<FiringView>(name, 'status', firing)).outcomes;
  const finished = (name: Name, firing: string) =>
    until(
      async () => {
        const all = Object.values(await outcomes(name, firing));
        return all.every(({ stage }) => stage === 'finished') ? all : undefined;
      },
      `${firing} to have finished`,
      120_000,
    );
  const onServer3 = () =>
    machines['server3.boxnet'].run(
      ...['puppet', 'apply', '--detailed-exitcodes', '/vagrant/vagrant/manifests/etcd-test.pp'],
    );
  const allPresent = (name: Name) =>
    until(
      async () => {
        const { stdout, exitCode } = await machines[name].run('trigger', 'nodes', '--json');
        const nodes = exitCode === 0 ? (JSON.parse(stdout) as NodeView[]) : [];
        return nodes.filter(({ present }) => present).length === names.length;
      },
      `${name} to see all nodes`,
      60_000,
    );

  beforeAll(async () => {
    await execa(join(root, 'scripts/package'), { cwd: root });
    bridge = await createBridge();
    for (const name of names) {
      const network = { bridge, hostname: name, address: `${addresses[name]}/24` };
      machines[name] = await bootContainer('trixie', box, { checkout: false, shown: { '/vagrant': root }, network });
      // A box of Vagrant's has such a user.
      await machines[name].must('useradd', '--create-home', 'vagrant');
    }
  }, 1_800_000);
  afterAll(async () => {
    for (const machine of Object.values(machines)) await machine.stop();
    await bridge?.remove();
  }, 120_000);

  it('the provisioning script makes the demo cluster, one machine after the other', async () => {
    for (const name of names) expect(await provision(name)).toContain('done (exit code 2)');
    for (const name of names) await allPresent(name);
    for (const name of names) {
      const health = await machines[name].must('etcdctl', 'endpoint', 'health', '--cluster', '--write-out=json');
      expect(JSON.parse(health)).toMatchObject(names.map(() => ({ health: true })));
    }
  }, 600_000);

  it('a second provisioning of the demo cluster changes nothing', async () => {
    for (const name of names) expect(await provision(name)).toContain('done (exit code 0)');
  }, 300_000);

  it('the demo cluster shows its queue to a user who logs in, and doctor finds only its etcd without TLS wrong', async () => {
    for (const name of names) {
      expect(await machines[name].must('su', '-', 'vagrant', '-c', 'trigger queue')).toContain('[run=0/1]');
      const { stdout } = await machines[name].run('trigger', 'doctor', '--json');
      const wrong = (JSON.parse(stdout) as { state: string; what: string }[]).filter(({ state }) => state === 'wrong');
      expect(wrong).toHaveLength(names.length);
      for (const { what } of wrong) expect(what).toContain('etcd answers without credentials');
    }
  });

  it('a change on the third machine makes Puppet run on the two others', async () => {
    const applied = await onServer3();
    expect(applied.exitCode, applied.stdout + applied.stderr).toBe(2);
    const fired = await lastFiring('server3.boxnet');
    expect(fired.targets).toEqual(['server1.boxnet', 'server2.boxnet']);
    for (const outcome of await finished('server3.boxnet', fired.id))
      expect(outcome).toMatchObject({ result: 'succeeded', exit_code: 0 });
    for (const name of ['server1.boxnet', 'server2.boxnet'] as const) {
      expect(await machines[name].must('trigger', 'queue')).toMatch(
        /^1 +finished .* puppet apply \/vagrant\/vagrant\/manifests\/site\.pp$/m,
      );
      expect(await machines[name].must('trigger', 'why', name)).toContain(
        `Job 1 ran on ${name} because Exec[touch /tmp/foo] changed on server3.boxnet.`,
      );
    }
    expect(await json<JobView[]>('server3.boxnet', 'queue')).toEqual([]);
  }, 180_000);

  it('a file that is made fires once, and fires again when the file is deleted', async () => {
    expect((await onServer3()).exitCode).toBe(0);
    expect(await json<FiringView[]>('server3.boxnet', 'status')).toHaveLength(1);
    await machines['server3.boxnet'].must('rm', '/tmp/foo');
    expect((await onServer3()).exitCode).toBe(2);
    await finished('server3.boxnet', (await lastFiring('server3.boxnet')).id);
    expect(await json<JobView[]>('server1.boxnet', 'queue')).toHaveLength(2);
  }, 180_000);

  it('the demo cluster survives a daemon that its own Puppet run restarts', async () => {
    const machine = machines['server1.boxnet'];
    const mainPid = () => machine.must('systemctl', 'show', '-P', 'MainPID', 'triggerd');
    const before = await mainPid();
    // Somebody has edited the file by hand; the run puts it right, and restarts the service that it is a job of.
    await machine.must('sh', '-c', 'echo "# by hand" >> /etc/triggerd/triggerd.toml');
    const [outcome] = await finished(
      'server3.boxnet',
      await fire('server3.boxnet', 'put it right', ['server1.boxnet']),
    );
    expect(outcome).toMatchObject({ result: 'succeeded', exit_code: 2, attempt: 1 });
    expect(await mainPid()).not.toBe(before);
  }, 180_000);

  it('the demo cluster works while the leader of etcd is dead, and the Puppet runs that it fires start etcd again', async () => {
    const status = JSON.parse(
      await machines['server1.boxnet'].must('etcdctl', 'endpoint', 'status', '--cluster', '--write-out=json'),
    ) as { Endpoint: string; Status: { header: { member_id: number }; leader: number } }[];
    const leader = status.find(({ Status }) => Status.leader === Status.header.member_id)?.Endpoint;
    const victim = names.find((name) => leader?.includes(name));
    const origin = names.find((name) => name !== victim);
    if (victim === undefined || origin === undefined) throw new Error(`no leader in ${JSON.stringify(status)}`);

    const { must, run } = machines[victim];
    await must('systemctl', 'kill', '--signal=KILL', 'etcd');
    await must('systemctl', 'stop', 'etcd');
    for (const outcome of await finished(origin, await fire(origin, 'the leader is dead', names)))
      expect(outcome).toMatchObject({ result: 'succeeded', exit_code: outcome.node === victim ? 2 : 0 });
    const healthy = async () => (await run('etcdctl', 'endpoint', 'health')).exitCode === 0;
    await until(healthy, `etcd on ${victim} to be healthy`, 60_000);
  }, 180_000);

  it('a node that was off when a firing named it gets the firing when it is back', async () => {
    const { poweroff, boot } = machines['server1.boxnet'];
    await poweroff();
    const id = await fire('server3.boxnet', 'while away', ['server1.boxnet']);
    expect(await outcomes('server3.boxnet', id)).toMatchObject({ 'server1.boxnet': { stage: 'owed' } });
    await boot();
    expect(await finished('server3.boxnet', id)).toMatchObject([{ result: 'succeeded', attempt: 1 }]);
    await allPresent('server1.boxnet');
  }, 240_000);

  it('a run that a reboot interrupted runs again', async () => {
    const { must, poweroff, boot } = machines['server2.boxnet'];
    const fact = '/etc/facter/facts.d/gate.sh';
    await must(
      ...[
        'sh',
        '-c',
        `printf '#!/bin/sh\\nuntil [ -e /root/gate ]; do sleep 0.1; done\\n' > ${fact}; chmod 755 ${fact}`,
      ],
    );
    const id = await fire('server3.boxnet', 'in the middle', ['server2.boxnet']);
    const stage = async () => (await outcomes('server3.boxnet', id))['server2.boxnet']?.stage;
    await until(async () => (await stage()) === 'running', 'the job to run', 60_000);
    await poweroff();
    expect(await stage()).not.toBe('finished');
    await boot();
    await must('touch', '/root/gate');
    expect(await finished('server3.boxnet', id)).toMatchObject([{ result: 'succeeded', attempt: 2 }]);
  }, 240_000);
});
