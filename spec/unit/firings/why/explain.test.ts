import { beforeEach, describe, expect, it } from 'vitest';
import { firstFiringIdAt, type WholeFiring } from '../../../../src/domain/firing.ts';
import { type Outcome, owedOutcome } from '../../../../src/domain/outcome.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { explainFiring, explainRun } from '../../../../src/firings/why/explain.ts';
import { firingWithId, lastFiringOf, lastRunOn, owedTo } from '../../../../src/firings/why/look-up.ts';
import { serializeOutcome } from '../../../../src/firings/wire/outcome.ts';
import { keysBelow } from '../../../../src/store/keys.ts';
import { firing as anyFiring } from '../../../support/firings.ts';
import { MemoryStore } from '../../../support/memory-store.ts';

const begin = Date.parse('2026-11-20T12:00:00Z');
let store: MemoryStore;
let count: number;
const keys = keysBelow('/trigger');
const place = () => ({ store, keys });
beforeEach(() => {
  store = new MemoryStore();
  count = 0;
});

/** Publishes a firing whose id says this time. */
const fire = async (second: number, fields: Partial<WholeFiring> = {}): Promise<WholeFiring> => {
  const tail = String(++count).padStart(16, '0');
  const firing = anyFiring({ id: firstFiringIdAt(begin + second * 1000).slice(0, 10) + tail, ...fields });
  await publishFiring(place(), firing);
  return firing;
};
const say = async (outcome: Outcome): Promise<Outcome> => {
  await store.commit({
    compare: [],
    write: [{ put: keys.outcome(outcome.firing, outcome.node), value: serializeOutcome(outcome) }],
  });
  return outcome;
};
/** Says that the firing's job ran on the node during these seconds. */
const ran = (of: WholeFiring, node: string, [from, to]: readonly [number, number], fields: Partial<Outcome> = {}) =>
  say({
    ...owedOutcome(of.id, node),
    ...{ stage: 'finished', result: 'succeeded', exitCode: 0, jobId: 1, queuedAt: begin + from * 1000 },
    ...{ startedAt: begin + from * 1000, finishedAt: begin + to * 1000 },
    ...fields,
  });
const link = (of: WholeFiring, node: string) => ({ firing: of.id, node, trigger: of.trigger });
const idsOf = ({ graph }: Awaited<ReturnType<typeof explainFiring>>) => ({
  firings: graph.firings.map(({ id }) => id),
  nodes: graph.runs.map(({ node }) => node),
});

describe('an explanation', () => {
  it('an explanation goes back to the first firing and forward to the last, whatever it begins with', async () => {
    const a = await fire(0, { targets: ['lb01'] });
    await ran(a, 'lb01', [1, 10]);
    const b = await fire(5, { targets: ['mon01'], chain: [link(a, 'lb01')] });
    const last = await ran(b, 'mon01', [6, 20]);
    const c = await fire(12, { targets: ['log01'], chain: [...b.chain, link(b, 'mon01')] });
    const whole = { firings: [a.id, b.id, c.id], nodes: ['lb01', 'mon01', 'log01'] };
    for (const each of [a, b, c]) expect(idsOf(await explainFiring(place(), each.id))).toEqual(whole);
    const run = await explainRun(place(), [last]);
    expect(idsOf(run)).toEqual(whole);
    expect(run.focus).toBe(`mon01/1/${begin + 6_000}`);
    expect(run.notes).toEqual([]);
  });

  it('an explanation of a run omits the same firing’s other nodes; an explanation of the firing counts all nodes', async () => {
    const a = await fire(0, { targets: ['lb01', 'lb02', 'lb03'] });
    const here = await ran(a, 'lb01', [1, 10]);
    await ran(a, 'lb02', [1, 10], { result: 'failed', exitCode: 4 });
    const elsewhere = await fire(5, { targets: ['mon01'], chain: [link(a, 'lb02')] });
    expect(idsOf(await explainRun(place(), [here]))).toEqual({ firings: [a.id], nodes: ['lb01'] });
    const all = await explainFiring(place(), a.id);
    expect(idsOf(all)).toEqual({ firings: [a.id, elsewhere.id], nodes: ['lb01', 'lb02', 'lb03', 'mon01'] });
    expect(all.tallies.get(a.id)).toEqual({ succeeded: 1, failed: 1, owed: 1 });
  });

  it('an explanation finds what a run has fired although other firings fill the time, and only that', async () => {
    const a = await fire(0);
    await ran(a, 'lb01', [1, 3000]);
    for (let second = 2; second < 2500; second++) await fire(second, { targets: ['x'] });
    const other = await fire(2, { targets: ['lb01'] });
    await ran(other, 'lb01', [3100, 3200], { jobId: 2 });
    const child = await fire(2990, { chain: [link(a, 'lb01')], targets: ['mon01'] });
    await fire(3150, { chain: [link(other, 'lb01')], targets: ['mon01'] });
    expect(idsOf(await explainFiring(place(), a.id)).firings).toEqual([a.id, child.id]);
  });

  it('an explanation has a run of coalesced firings once, with all of them and their origins', async () => {
    const root = await fire(0, { targets: ['web01'], trigger: 'deploy' });
    await ran(root, 'web01', [0, 2]);
    const [a, b] = [await fire(1, { chain: [link(root, 'web01')] }), await fire(2)];
    const details = { shared: { firings: [a.id, b.id], total: 2 } };
    const [run] = [await ran(a, 'lb01', [5, 9], { details }), await ran(b, 'lb01', [5, 9], { details })];
    const child = await fire(6, { chain: [...a.chain, link(a, 'lb01')], targets: ['mon01'] });
    for (const explanation of [await explainRun(place(), [run]), await explainFiring(place(), b.id)]) {
      const { firings, runs } = explanation.graph;
      expect(new Set(firings.map(({ id }) => id))).toEqual(new Set([root.id, a.id, b.id, child.id]));
      expect(runs.filter(({ node }) => node === 'lb01')).toMatchObject([{ firings: [a.id, b.id], firingsTotal: 2 }]);
    }
  });

  it('an explanation does not ascribe to a run a firing that was cancelled before it', async () => {
    const [a, b] = [await fire(1), await fire(2)];
    const details = { shared: { firings: [a.id, b.id, '../x', 7], total: 2 } };
    const run = await ran(a, 'lb01', [5, 9], { details });
    await ran(b, 'lb01', [5, 9], { stage: 'skipped', reason: 'cancelled by x@y', startedAt: null, finishedAt: null });
    const { graph } = await explainRun(place(), [run]);
    expect(graph.runs.map(({ firings, outcome }) => [firings, outcome?.stage])).toEqual([
      [[a.id], 'finished'],
      [[b.id], 'skipped'],
    ]);
  });

  it('an explanation shows an ancestor that etcd has deleted as a gap, and continues behind it', async () => {
    const a = await fire(0);
    await ran(a, 'lb01', [1, 2]);
    const b = await fire(1, { targets: ['mon01'], chain: [link(a, 'lb01')] });
    const c = await fire(3, { targets: ['log01'], chain: [...b.chain, link(b, 'mon01')] });
    await store.commit({ compare: [], write: [{ delete: keys.firing(b.id) }] });
    const { graph } = await explainFiring(place(), c.id);
    expect(graph.firings).toMatchObject([{ id: a.id }, { id: b.id, firing: null }, { id: c.id }]);
    expect(graph.firings[0]?.firing).not.toBeNull();
    expect(graph.runs).toMatchObject([{ outcome: { stage: 'finished' } }, { node: 'mon01', outcome: null }, {}]);
  });

  it('an explanation of a job uses what the journal still has', async () => {
    const gone = anyFiring({ chain: [] });
    const outcome: Outcome = { ...owedOutcome(gone.id, 'lb01'), stage: 'finished', jobId: 7, startedAt: begin };
    const { graph } = await explainRun(place(), [outcome], [gone]);
    expect(graph.firings).toMatchObject([{ id: gone.id, firing: { trigger: gone.trigger } }]);
  });

  it('an explanation of very many firings shows the first, and a note says so', async () => {
    const a = await fire(0);
    await ran(a, 'lb01', [1, 500]);
    for (let second = 2; second < 300; second++) await fire(second, { chain: [link(a, 'lb01')] });
    const { graph, notes } = await explainFiring(place(), a.id);
    expect(graph.firings).toHaveLength(200);
    expect(notes).toEqual(['only the first 200 firings are shown']);
  });

  it('an explanation of a firing for very many nodes shows those that did not end well', async () => {
    const targets = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const a = await fire(0, { targets });
    for (const node of targets) await ran(a, node, [1, 2], node === 'n299' ? { result: 'failed', exitCode: 4 } : {});
    const { graph, tallies } = await explainFiring(place(), a.id);
    expect(graph.runs).toHaveLength(100);
    expect(graph.runs.map(({ node }) => node)).toContain('n299');
    expect(tallies.get(a.id)).toEqual({ succeeded: 299, failed: 1 });
  });
});

describe('what is meant', () => {
  it('the beginning of an ID means the one firing that has it', async () => {
    const [a, b] = [await fire(0), await fire(2)];
    expect(await firingWithId(place(), a.id.slice(0, 8).toLowerCase())).toBe(a.id);
    expect(await firingWithId(place(), b.id)).toBe(b.id);
    expect(await firingWithId(place(), 'lb01.example.com')).toBeUndefined();
    expect(await firingWithId(place(), a.id.slice(0, 5))).toBeUndefined();
    expect(await firingWithId(place(), '7ZZZZZ')).toBeUndefined();
    await expect(firingWithId(place(), a.id.slice(0, 6))).rejects.toMatchObject({
      code: 'firing-ambiguous',
      details: { candidates: [a.id, b.id] },
    });
  });

  it('a trigger’s name means its last firing', async () => {
    await fire(0, { trigger: 'deploy' });
    const b = await fire(1, { trigger: 'deploy' });
    expect(await lastFiringOf(place(), 'deploy')).toBe(b.id);
    expect(await lastFiringOf(place(), 'other')).toBeUndefined();
  });

  it('a node’s name means what ran last there, which is not always the newest firing', async () => {
    const [a, b, c] = [await fire(0), await fire(1), await fire(2)];
    await ran(a, 'lb01', [50, 60]);
    await ran(b, 'lb01', [10, 20]);
    await say({ ...owedOutcome(c.id, 'lb01'), stage: 'skipped', reason: 'expired' });
    expect((await lastRunOn(place(), 'lb01'))?.firing).toBe(a.id);
    expect(await lastRunOn(place(), 'lb02')).toBeUndefined();
  });

  it('what is owed means the inbox, with the stage of each firing', async () => {
    const a = await fire(0);
    for (let second = 1; second < 25; second++) await fire(second);
    await say({ ...owedOutcome(a.id, 'lb01'), stage: 'deferred', reason: 'agent disabled', jobId: 3 });
    const { total, firings } = await owedTo(place(), 'lb01');
    expect([total, firings.length]).toEqual([25, 20]);
    expect(firings[0]).toMatchObject({ id: a.id, outcome: { stage: 'deferred', reason: 'agent disabled' } });
    expect(firings[1]).toMatchObject({ firing: { trigger: a.trigger }, outcome: { stage: 'owed' } });
  });
});
