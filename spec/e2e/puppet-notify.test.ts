import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FiringView } from '../../src/api/contract/firings.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** The main job: a notify on web01 runs Puppet on lb01 and lb02. Real etcd, real daemons, real Puppet. */
describe('a Puppet notify on one node', () => {
  let etcd: EtcdPlace;
  let web: TestPuppet;
  const balancers: { node: TestNode; puppet: TestPuppet }[] = [];

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    web = createPuppet('web01', etcd);
    for (const name of ['lb01', 'lb02']) balancers.push(createBalancer(name, etcd));
    await Promise.all(balancers.map(({ node }) => node.start()));
  });

  afterAll(async () => {
    for (const { node, puppet } of balancers) {
      await node.remove();
      puppet.remove();
    }
    web?.remove();
  });

  const firings = async (): Promise<FiringView[]> => (await balancers[0]?.node.firings()) ?? [];
  const settled = async (count: number): Promise<FiringView[]> =>
    until(async () => {
      const found = await firings();
      const final = found.every((each) =>
        Object.values(each.outcomes).every((o) => o.stage === 'finished' || o.stage === 'skipped'),
      );
      return found.length === count && final ? found : undefined;
    }, `${count} firings with final outcomes`);
  const jobsOn = (index: number) => balancers[index]?.node.jobs() ?? [];

  it('a trigger that is only declared fires nothing', async () => {
    const { exitCode, output } = await web.apply(web.manifest('declared.pp', triggerOn(['lb01', 'lb02'])));
    expect(output).not.toMatch(/Trigger/);
    expect(exitCode).toBe(0);
    expect(await firings()).toEqual([]);
  });

  it('a notify in noop fires nothing, and says what it would have fired', async () => {
    const { output } = await web.apply(
      web.manifest('noop.pp', `${changedFile(web, 'noop')}${triggerOn(['lb01'])}`),
      '--noop',
    );
    expect(output).toMatch(/Would have triggered 'refresh'/);
    expect(await firings()).toEqual([]);
  });

  it('a notify runs Puppet on the targets, once for three notifiers, and returns exit codes, counts and the cause', async () => {
    const files = ['a', 'b', 'c'].map((name) => changedFile(web, name)).join('');
    const manifest = web.manifest('site.pp', `${files}${triggerOn(['lb01', 'lb02'])}`);
    const { exitCode, output } = await web.apply(manifest);
    expect(output).toMatch(/Triggered 'refresh' from 3 events/);
    expect(exitCode).toBe(2);

    const [fired] = await settled(1);
    expect(fired).toMatchObject({
      trigger: 'refresh load balancers',
      targets: ['lb01', 'lb02'],
      origin: { kind: 'puppet', node: 'web01', resource: 'Trigger[refresh load balancers]', causes_total: 3 },
    });
    const [cause] = (fired?.origin['causes'] ?? []) as {
      file: string;
      line: number;
      message: string;
      resource: string;
    }[];
    expect(cause).toMatchObject({ file: manifest, line: 1, resource: `File[${web.dir}/a]` });
    expect(cause?.message).toMatch(/defined content/);
    for (const { node, puppet } of balancers) {
      expect(fired?.outcomes[node.name]).toMatchObject({
        stage: 'finished',
        result: 'succeeded',
        exit_code: 2,
        attempt: 1,
      });
      expect(fired?.outcomes[node.name]?.details).toMatchObject({ puppet: { changed: 1, failed: 0, noop: false } });
      expect(fired?.outcomes[node.name]?.details['puppet']).toHaveProperty(
        'report',
        expect.stringMatching(/^[0-9a-f-]{36}$/),
      );
      expect(readFileSync(join(puppet.dir, 'haproxy.cfg'), 'utf8')).toBe('balanced');
    }
  });

  it('a trigger fires nothing when nothing changed', async () => {
    const { exitCode } = await web.apply(join(web.dir, 'manifests/site.pp'));
    expect(exitCode).toBe(0);
    expect(await firings()).toHaveLength(1);
  });

  it('a trigger takes a string for hosts, and fires once at a host named twice', async () => {
    await web.apply(web.manifest('string.pp', `${changedFile(web, 'd')}${triggerOn('lb01')}`));
    await web.apply(web.manifest('twice.pp', `${changedFile(web, 'e')}${triggerOn(['lb02', 'LB02', 'lb02'])}`));
    const [second, first] = await settled(3);
    expect(first?.targets).toEqual(['lb01']);
    expect(second?.targets).toEqual(['lb02']);
    expect((await jobsOn(0)).length).toBe(2);
  });

  it('a trigger with an empty list of hosts warns and fires nothing', async () => {
    const { output, exitCode } = await web.apply(web.manifest('empty.pp', `${changedFile(web, 'f')}${triggerOn([])}`));
    expect(output).toMatch(/Warning: .*hosts is empty: nothing fired/);
    expect(exitCode).toBe(2);
    expect(await firings()).toHaveLength(3);
  });

  it.each(['lb 01', 'lb01;reboot', '../lb01', '', 'lb01/x', '-rf'])(
    'the catalog refuses the host name %j',
    async (host) => {
      const { output, exitCode } = await web.apply(
        web.manifest('strange.pp', `${changedFile(web, 'g')}${triggerOn([host])}`),
      );
      expect(exitCode).toBe(1);
      expect(output).toMatch(/host/i);
      expect(existsSync(join(web.dir, 'g'))).toBe(false);
    },
  );

  it('a failed publication is visible in the Puppet run', async () => {
    const manifest = web.manifest(
      'away.pp',
      `${changedFile(web, 'h')}${triggerOn(['lb01'], "require_publish => true, endpoints => ['http://127.0.0.1:1'],")}`,
    );
    const { output, exitCode } = await web.apply(manifest);
    expect(exitCode).toBe(6);
    expect(output).toMatch(/127\.0\.0\.1:1/);
  });

  it('a firing with noop runs Puppet in noop on the targets', async () => {
    const fired = await balancers[0]?.node.trigger(
      'fire',
      'preview',
      '--host',
      'lb01',
      '--noop',
      '--wait',
      '--timeout',
      '150s',
    );
    expect(fired).toMatchObject({ exitCode: 0 });
    const [latest] = await settled(4);
    expect(latest?.outcomes['lb01']?.details).toMatchObject({ puppet: { noop: true } });
  });
});

const createBalancer = (name: string, etcd: EtcdPlace) => {
  const puppet = createPuppet(name, etcd);
  const manifest = puppet.manifest('lb.pp', `file { '${puppet.dir}/haproxy.cfg': content => 'balanced' }`);
  // One of them runs Debian's Puppet, started as it is on a real node.
  const program = name === 'lb02' ? 'puppet' : puppet.program;
  const runCommand = [program, 'apply', ...puppet.options, manifest].join(' ');
  return { puppet, node: createNode({ name, etcd, watch: `run_cmd = "${runCommand}"` }) };
};

const changedFile = (puppet: TestPuppet, name: string): string =>
  `file { '${puppet.dir}/${name}': content => 'x', notify => Trigger['refresh load balancers'] }\n`;

const triggerOn = (hosts: string | readonly string[], more = ''): string => {
  const list = typeof hosts === 'string' ? `'${hosts}'` : `[${hosts.map((host) => `'${host}'`).join(', ')}]`;
  return `trigger { 'refresh load balancers': hosts => ${list}, ${more} provider => 'etcd' }\n`;
};
