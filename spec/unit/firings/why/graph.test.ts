import { describe, expect, it } from 'vitest';
import type { ChainLink, Firing } from '../../../../src/domain/firing.ts';
import { type Outcome, owedOutcome } from '../../../../src/domain/outcome.ts';
import { type CausalGraph, causalGraph } from '../../../../src/firings/why/graph.ts';
import { firing } from '../../../support/firings.ts';
import { announced, type Random } from '../../../support/random.ts';

const ran = (of: Firing, node: string, jobId: number, queuedAt = 1_000): Outcome => ({
  ...owedOutcome(of.id, node),
  ...{ stage: 'finished', result: 'succeeded', exitCode: 0, jobId, queuedAt, startedAt: queuedAt + 1 },
});
const link = (of: Firing, node: string): ChainLink => ({ firing: of.id, node, trigger: of.trigger });

/** Follows every edge; throws when it comes back to where it was. */
const walk = ({ firings, runs }: CausalGraph): void => {
  const open = new Set<string>();
  const done = new Set<string>();
  const visit = (id: string): void => {
    if (done.has(id)) return;
    if (open.has(id)) throw new Error(`a cycle through ${id}`);
    open.add(id);
    const run = runs.find((each) => each.id === id);
    const cause = firings.find((each) => each.id === id)?.causedBy;
    for (const next of run?.firings ?? (cause == null ? [] : [cause])) visit(next);
    open.delete(id);
    done.add(id);
  };
  for (const { id } of [...firings, ...runs]) visit(id);
};

describe('a causal graph', () => {
  it('a causal graph joins firings and runs, causes first', () => {
    const first = firing();
    const second = firing({ chain: [link(first, 'lb01')], targets: ['mon01'] });
    const graph = causalGraph([second, first], [ran(second, 'mon01', 3), ran(first, 'lb01', 7)]);
    expect(graph.firings.map(({ id, causedBy }) => [id, causedBy])).toEqual([
      [first.id, null],
      [second.id, 'lb01/7/1000'],
    ]);
    expect(graph.runs.map(({ node, firings }) => [node, firings])).toEqual([
      ['lb01', [first.id]],
      ['mon01', [second.id]],
    ]);
  });

  it('a causal graph has one run for all firings of a coalesced job, and two for a job number that was given twice', () => {
    const [a, b, c] = [firing(), firing(), firing()];
    const shared = { shared: { firings: [a.id, b.id], total: 9 } };
    const graph = causalGraph(
      [a, b, c],
      [{ ...ran(a, 'lb01', 7), details: shared }, ran(b, 'lb01', 7), ran(c, 'lb01', 7, 9_000)],
    );
    expect(graph.runs.map(({ firings, firingsTotal }) => [firings, firingsTotal])).toEqual([
      [[a.id, b.id], 9],
      [[c.id], 1],
    ]);
  });

  it('a causal graph separates a skipped firing from the run that it was to join', () => {
    const [a, b] = [firing(), firing()];
    const skipped: Outcome = {
      ...ran(b, 'lb01', 7),
      stage: 'skipped',
      result: null,
      startedAt: null,
      reason: 'cancelled by x@y',
    };
    expect(causalGraph([a, b], [ran(a, 'lb01', 7), skipped]).runs).toMatchObject([
      { firings: [a.id], outcome: { stage: 'finished' } },
      { firings: [b.id], outcome: { reason: 'cancelled by x@y' } },
    ]);
  });

  it('a causal graph shows what etcd has deleted as a gap that the chain still names', () => {
    const [first, second] = [firing(), firing({ trigger: 'middle' })];
    const third = firing({ chain: [link(first, 'a'), link(second, 'b')] });
    const { firings, runs } = causalGraph([third], []);
    expect(firings).toMatchObject([
      { id: first.id, firing: null, causedBy: null },
      { id: second.id, firing: null, trigger: 'middle', causedBy: `a/${first.id}` },
      { id: third.id, firing: third, causedBy: `b/${second.id}` },
    ]);
    expect(runs).toMatchObject([
      { node: 'a', outcome: null },
      { node: 'b', outcome: null },
    ]);
  });

  it('a causal graph has every hop once and no cycle, whatever was written into etcd', () => {
    const random = announced('causal graphs');
    for (let round = 0; round < 300; round++) {
      const { firings, outcomes } = forged(random);
      const graph = causalGraph(firings, outcomes);
      const ids = [...graph.firings, ...graph.runs].map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const each of firings) expect(ids).toContain(each.id);
      for (const { causedBy } of graph.firings) if (causedBy !== null) expect(ids).toContain(causedBy);
      for (const run of graph.runs) for (const id of run.firings) expect(ids).toContain(id);
      walk(graph);
    }
  });
});

/** Documents with no respect for time: chains that name later firings, themselves, one firing twice; jobs of anything. */
const forged = (random: Random): { firings: Firing[]; outcomes: Outcome[] } => {
  const blanks = Array.from({ length: random.between(1, 8) }, () => firing());
  const strangers = [firing(), firing()];
  const nodes = ['a', 'b', 'c'];
  const someLink = () => link(random.pick([...blanks, ...strangers]), random.pick(nodes));
  const firings = blanks.map((each) => ({
    ...each,
    chain: Array.from({ length: random.between(0, 5) }, someLink),
  }));
  const outcomes = Array.from({ length: random.between(0, 12) }, () =>
    ran(random.pick(firings), random.pick(nodes), random.between(1, 4)),
  );
  return { firings, outcomes };
};
