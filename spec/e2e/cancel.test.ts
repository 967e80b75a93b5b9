import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CancelledView, FiredView, OutcomeView } from '../../src/api/contract/firings.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { until } from '../support/wait.ts';

describe('ending owed work', () => {
  let etcd: TestEtcd;
  let node: TestNode;
  const dir = mkdtempSync(join(tmpdir(), 'triggerd-cancel-'));
  const gate = join(dir, 'gate');
  const runs = join(dir, 'runs');

  beforeAll(async () => {
    etcd = await startEtcd();
    const wait = `until [ -e ${gate} ] || [ ! -d ${dir} ]; do sleep 0.02; done`;
    const watch = `run_cmd = "sh -c 'echo x >> ${runs}; ${wait}'"`;
    node = createNode({ name: 'lb01', etcd: [etcd.endpoint], watch, config: '[sweeper]\ninterval = "200ms"' });
    await node.start();
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    await node?.remove();
    await etcd?.stop();
  });
  afterEach(async () => {
    await node.trigger('queue', 'resume');
    writeFileSync(gate, '');
    await until(async () => (await jobs()).every(({ state }) => /finished|skipped/.test(state)), 'all jobs to end');
    rmSync(gate);
  });

  const fire = async (...more: string[]): Promise<string> =>
    (await node.json<FiredView>('fire', 'x', '--host', 'lb01', ...more)).id;
  const jobs = () => node.jobs();
  const jobOf = async (id: string) => (await jobs()).find(({ firings }) => firings.includes(id));
  const outcome = async (id: string, host = 'lb01'): Promise<OutcomeView | undefined> =>
    (await node.firing(id)).outcomes[host];
  const reaches = (id: string, stage: OutcomeView['stage']) =>
    until(async () => (await outcome(id))?.stage === stage, `${id} to be ${stage}`);
  const cancel = (id: string, ...more: string[]) => node.json<CancelledView>('cancel', id, ...more);
  /** A job that is queued while etcd is away. A machine that was too slow for its time gets more. */
  const queuedWithoutEtcd = async (ttlMs = 1_000): Promise<{ id: string; expiresAt: number }> => {
    const id = await fire('--ttl', `${ttlMs}ms`);
    const expiresAt = Date.now() + ttlMs;
    await until(async () => (await jobOf(id)) ?? (await outcome(id))?.stage === 'skipped', 'a job, or the expiry');
    etcd.freeze();
    if ((await jobOf(id))?.state === 'queued') return { id, expiresAt };
    etcd.thaw();
    return queuedWithoutEtcd(2 * ttlMs);
  };
  const ran = () => (existsSync(runs) ? readFileSync(runs, 'utf8').length / 2 : 0);

  it('cancel skips the queued job of a firing, and a second cancel says what had happened', async () => {
    await node.trigger('queue', 'pause');
    const id = await fire();
    await reaches(id, 'queued');
    const before = ran();
    expect((await cancel(id)).nodes['lb01']).toMatchObject({ did: 'cancelled', stage: 'skipped' });
    expect((await outcome(id))?.reason).toMatch(/^cancelled by \S+@lb01$/);
    await until(async () => (await jobOf(id))?.state === 'skipped', 'the job to be skipped');
    const again = await node.trigger('cancel', id);
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^lb01 {2}had ended: skipped cancelled by/),
    });
    expect(ran()).toBe(before);
  });

  it('cancel lets a job run that another firing still needs', async () => {
    await node.trigger('queue', 'pause');
    const cancelled = await fire();
    await reaches(cancelled, 'queued');
    const needed = await fire();
    await reaches(needed, 'queued');
    await cancel(cancelled);
    writeFileSync(gate, '');
    await node.trigger('queue', 'resume');
    await reaches(needed, 'finished');
    expect((await outcome(cancelled))?.stage).toBe('skipped');
  });

  it('cancel leaves a running job alone, and kills it only with --kill', async () => {
    const id = await fire();
    await reaches(id, 'running');
    expect((await cancel(id)).nodes['lb01']?.did).toBe('running');
    expect((await node.trigger('cancel', id, '--kill')).stdout).toBe('lb01  running, asked to end it');
    await reaches(id, 'finished');
    expect(await outcome(id)).toMatchObject({ result: 'killed' });
  });

  it('cancel with --kill kills a job only when no other firing needs it', async () => {
    await node.trigger('queue', 'pause');
    const [first, second] = [await fire(), await fire()];
    await Promise.all([reaches(first, 'queued'), reaches(second, 'queued')]);
    await node.trigger('queue', 'resume');
    await Promise.all([reaches(first, 'running'), reaches(second, 'running')]);
    await cancel(first, '--kill');
    await until(() => node.log().some(({ msg, firing }) => /continues/.test(msg) && firing === first), 'the refusal');
    expect((await jobOf(first))?.state).toBe('running');
    await cancel(second, '--kill');
    await Promise.all([reaches(first, 'finished'), reaches(second, 'finished')]);
    expect(await outcome(first)).toMatchObject({ result: 'killed' });
  });

  it('cancel with a node ends what is owed to that absent node only', async () => {
    await node.trigger('queue', 'pause');
    const id = await fire('--host', 'ghost');
    await reaches(id, 'queued');
    expect((await cancel(id, '--host', 'ghost')).nodes).toMatchObject({ ghost: { did: 'cancelled' } });
    expect((await outcome(id, 'ghost'))?.stage).toBe('skipped');
    expect((await outcome(id))?.stage).toBe('queued');
    expect(await node.trigger('cancel', id, '--host', 'other')).toMatchObject({ exitCode: 2 });
  });

  it('cancel refuses a firing that is not known', async () => {
    const { exitCode, stderr } = await node.trigger('cancel', '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', '--json');
    expect([exitCode, JSON.parse(stderr).error.code]).toEqual([1, 'firing-not-found']);
  });

  it('forget removes an absent node with everything owed to it, and refuses a present one', async () => {
    const ids = [await fire('--host', 'gone'), await fire('--host', 'gone')];
    const present = await node.trigger('node', 'forget', 'lb01', '--json');
    expect([present.exitCode, JSON.parse(present.stderr).error.code]).toEqual([1, 'node-present']);
    expect(await node.json('node', 'forget', 'gone')).toEqual({ node: 'gone', ended: 2 });
    for (const id of ids) expect((await outcome(id, 'gone'))?.reason).toMatch(/^node forgotten by \S+@lb01$/);
    expect(await node.trigger('node', 'forget', 'gone')).toMatchObject({ exitCode: 1 });
  });

  it('a firing that expires while its job is queued or its node is away runs nothing', async () => {
    await node.trigger('queue', 'pause');
    const id = await fire('--host', 'ghost', '--ttl', '500ms');
    const before = ran();
    await reaches(id, 'skipped');
    await until(async () => (await outcome(id, 'ghost'))?.reason === 'expired', 'the expiry');
    expect((await outcome(id))?.reason).toBe('expired');
    await until(async () => (await jobOf(id))?.state !== 'queued', 'the job to be skipped');
    await node.trigger('queue', 'resume');
    expect(ran()).toBe(before);
  });

  it('an expired job is skipped at its turn while etcd is away', async () => {
    await node.trigger('queue', 'pause');
    const before = ran();
    const { id, expiresAt } = await queuedWithoutEtcd();
    try {
      await until(() => Date.now() > expiresAt, 'the expiry');
      await node.trigger('queue', 'resume');
      await until(async () => (await jobOf(id))?.state === 'skipped', 'the job to be skipped');
    } finally {
      etcd.thaw();
    }
    await reaches(id, 'skipped');
    expect((await outcome(id))?.reason).toBe('expired');
    expect(ran()).toBe(before);
  });
});
