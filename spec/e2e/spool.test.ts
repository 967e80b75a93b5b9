import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/adapters/etcd/connect.ts';
import type { HealthView } from '../../src/api/contract/health.ts';
import { serializeFiring } from '../../src/firings/wire/firing.ts';
import { keysBelow } from '../../src/store/keys.ts';
import { call } from '../support/api.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { firing } from '../support/firings.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/wait.ts';

const keys = keysBelow('/trigger');

/** F1: a refresh while etcd or the daemon is away. Real etcd, real daemons on both sides, real Puppet. */
describe('a refresh that etcd cannot take now', () => {
  let etcd: TestEtcd;
  let web: TestNode;
  let balancer: TestNode;
  let puppet: TestPuppet;
  let runs = 0;

  beforeAll(async () => {
    etcd = await startEtcd();
    web = createNode({ name: 'web01', etcd: [etcd.endpoint] });
    balancer = createNode({ name: 'lb01', etcd: [etcd.endpoint] });
    await Promise.all([web.start(), balancer.start()]);
    puppet = createPuppet('web01', [etcd.endpoint], { spool: spool(), socket: web.socket });
  });

  afterAll(async () => {
    await web?.remove();
    await balancer?.remove();
    puppet?.remove();
    await etcd?.stop();
  });

  const spool = () => join(web.dir, 'state/spool');
  const waiting = () => (existsSync(spool()) ? readdirSync(spool()).filter((name) => name.endsWith('.json')) : []);
  const health = () => call<HealthView>(web.socket, 'GET', '/v1/health');

  /** One run of Puppet in which one resource changes and notifies the trigger. */
  const refresh = (title: string, parameters = '') =>
    puppet.apply(
      puppet.manifest(
        'site.pp',
        `file { '${puppet.dir}/changed-${++runs}': content => 'x', notify => Trigger['${title}'] }
         trigger { '${title}': hosts => 'lb01', ${parameters} }`,
      ),
    );

  /** The firing of this trigger, once its run has ended; there must be one firing and one job. */
  const deliveredOnce = async (title: string): Promise<void> => {
    const fired = await until(async () => {
      const firings = (await balancer.firings()).filter(({ trigger }) => trigger === title);
      return firings[0]?.outcomes['lb01']?.stage === 'finished' ? firings : undefined;
    }, `the run for ${title}`);
    expect(fired).toHaveLength(1);
    const jobs = await balancer.jobs();
    expect(jobs.filter(({ firings }) => firings.includes(fired[0]?.id ?? ''))).toHaveLength(1);
    await until(() => waiting().length === 0, 'an empty spool');
  };

  it('a refresh without etcd succeeds with a warning that names the spool, and the daemon delivers the firing once', async () => {
    await etcd.kill();
    const startedAt = Date.now();
    const { exitCode, output } = await refresh('away');
    expect(exitCode, output).toBe(2);
    expect(output).toMatch(
      /Warning: .*Trigger\[away\]: could not fire \w{26} to 1 node \(lb01\) yet: .*connection refused/,
    );
    expect(output).toContain(`The firing is stored in ${spool()}; the daemon triggerd, or the next Puppet run`);
    expect(waiting()).toHaveLength(1);
    const { spool: state } = await until(async () => {
      const view = await health();
      return view.spool.waiting === 1 ? view : undefined;
    }, 'the firing in /v1/health');
    expect(Date.parse(state.oldest_at ?? '')).toBeGreaterThan(startedAt);
    await etcd.start();
    await deliveredOnce('away');
    const emptied = await until(async () => {
      const view = (await health()).spool;
      return view.waiting === 0 && view;
    }, 'the empty spool in /v1/health');
    expect(emptied).toEqual({ waiting: 0, oldest_at: null });
  });

  it('a spooled firing survives the daemon’s death, and its next start delivers it', async () => {
    await etcd.kill();
    await web.crash();
    await refresh('both away');
    expect(waiting()).toHaveLength(1);
    await web.start();
    await etcd.start();
    await deliveredOnce('both away');
  });

  it('a refresh that requires etcd fails without it, and the firing is delivered all the same', async () => {
    await etcd.kill();
    const { exitCode, output } = await refresh('required', 'require_publish => true,');
    expect(exitCode, output).toBe(6);
    expect(output).toMatch(/Error: .*could not fire \w{26}.*connection refused.*The firing is stored in .*delivers it/);
    await etcd.start();
    await deliveredOnce('required');
  });

  it.each<[string, (path: string) => void]>([
    ['a symbolic link', (path) => symlinkSync(tmpdir(), path)],
    ['writable by everybody', (path) => chmodSync(mkdirSync(path, { recursive: true }) ?? path, 0o777)],
  ])('a daemon does not start with a spool that is %s', async (_what, plant) => {
    const node = createNode({ name: 'planted', etcd: [etcd.endpoint] });
    try {
      plant(join(node.dir, 'state/spool'));
      await expect(node.start()).rejects.toThrow(/the spool .*state\/spool: it (is a symbolic link|can be written by)/);
    } finally {
      await node.remove();
    }
  });

  it('a spooled firing is delivered once when the daemon and a Puppet run drain the spool at the same time', async () => {
    await web.stop();
    const many = Array.from({ length: 250 }, (_, index) => `node${index}`);
    const left = Array.from({ length: 12 }, (_, index) => firing({ targets: index % 2 === 0 ? ['nobody'] : many }));
    for (const each of left) writeFileSync(join(spool(), `${each.id}.json`), serializeFiring(each));
    const manifest = puppet.manifest('declared.pp', `trigger { 'declared': hosts => 'lb01' }`);
    const [run] = await Promise.all([puppet.apply(manifest), web.start()]);
    expect(run.exitCode, run.output).toBe(0);
    await until(() => waiting().length === 0, 'an empty spool');
    const store = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 30_000, log: recordingLog() });
    try {
      for (const { id } of left) {
        const stored = await store.get(keys.firing(id));
        expect(stored?.modRevision, 'written once').toBe(stored?.createRevision);
      }
      const owed = new Set((await store.list('/trigger/v1/inbox/')).entries.map(({ key }) => key));
      expect(
        left.flatMap(({ id, targets }) => targets.map((node) => keys.inbox(node, id))).filter((key) => !owed.has(key)),
      ).toEqual([]);
    } finally {
      await store.close();
    }
  });

  describe('through provider local', () => {
    it('provider local publishes through the daemon, without a connection of Puppet’s own to etcd', async () => {
      const { exitCode, output } = await refresh('handed over', 'provider => local,');
      expect(exitCode, output).toBe(2);
      expect(output).toMatch(/handed \w{26} to 1 node \(lb01\) over to the daemon triggerd, which fires it/);
      await deliveredOnce('handed over');
      const direct = await refresh('awaited', 'provider => local, require_publish => true,');
      expect(direct.output).toMatch(/fired \w{26} to 1 node/);
      await deliveredOnce('awaited');
    });

    it('provider local needs no etcd for a refresh, and fails when etcd is required', async () => {
      await etcd.kill();
      const handed = await refresh('kept', 'provider => local,');
      expect(handed.exitCode, handed.output).toBe(2);
      expect(handed.output).not.toContain('Warning: /Stage');
      const required = await refresh('kept and required', 'provider => local, require_publish => true,');
      expect(required.exitCode, required.output).toBe(6);
      expect(required.output).toMatch(/Error: .*could not fire .*The firing is stored in the spool of the daemon/);
      await etcd.start();
      await deliveredOnce('kept');
      await deliveredOnce('kept and required');
    });

    it('provider local spools without a daemon, whose next start delivers the firing', async () => {
      await web.stop();
      const { exitCode, output } = await refresh('nobody there', 'provider => local,');
      expect(exitCode, output).toBe(2);
      expect(output).toMatch(/Warning: .*the daemon triggerd does not answer on .*sock.*The firing is stored in/);
      expect(waiting()).toHaveLength(1);
      await web.start();
      await deliveredOnce('nobody there');
    });
  });
});
