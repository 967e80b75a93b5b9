import { describe, expect, it } from 'vitest';
import { chainOfRun, stoppedByLoopGuard } from '../../../src/domain/chain.ts';
import { defaultTtl, type WholeFiring } from '../../../src/domain/firing.ts';
import { firing } from '../../support/firings.ts';

type Notify = { readonly trigger: string; readonly hosts: readonly string[] };

/**
 * A world in which every run on a node fires what `notifies` says, in waves: what a node is owed at the same time is one
 * run, as its queue would have it. Gives the runs and the stopped edges.
 */
const play = (notifies: Readonly<Record<string, readonly Notify[]>>, first: WholeFiring) => {
  const runs: string[] = [];
  const stopped: string[] = [];
  for (let wave = [first]; wave.length > 0; ) {
    const accepted = new Map<string, WholeFiring[]>();
    for (const [node, owed] of wave.flatMap((each) => each.targets.map((target) => [target, each] as const))) {
      const stop = stoppedByLoopGuard(owed, node);
      if (stop === null) accepted.set(node, [...(accepted.get(node) ?? []), owed]);
      else stopped.push(stop);
    }
    runs.push(...accepted.keys());
    expect(runs.length).toBeLessThan(1000);
    wave = [...accepted].flatMap(([node, firings]) => firedBy(notifies[node] ?? [], firings, node));
  }
  return { runs, stopped };
};

const firedBy = (notifies: readonly Notify[], firings: readonly WholeFiring[], node: string): WholeFiring[] => {
  const { chain, ttl } = chainOfRun(firings, node);
  return notifies.map(({ trigger, hosts }) =>
    firing({ trigger, targets: hosts, chain, ttl: Math.min(defaultTtl, ttl ?? defaultTtl) }),
  );
};

describe('the loop guard', () => {
  it('the loop guard ends A → B → A after one round, and prints the whole cycle', () => {
    const notifies = { a: [{ trigger: 'b', hosts: ['b'] }], b: [{ trigger: 'a', hosts: ['a'] }] };
    expect(play(notifies, firing({ trigger: 'b', targets: ['b'] }))).toEqual({
      runs: ['b', 'a'],
      stopped: ['loop: b on b → a on a → b on b'],
    });
  });

  it('the loop guard ends a ring of three and a self-notify', () => {
    const ring = {
      a: [{ trigger: 't', hosts: ['b'] }],
      b: [{ trigger: 't', hosts: ['c'] }],
      c: [{ trigger: 't', hosts: ['a'] }],
    };
    expect(play(ring, firing({ trigger: 't', targets: ['a'] }))).toEqual({
      runs: ['a', 'b', 'c'],
      stopped: ['loop: t on a → t on b → t on c → t on a'],
    });
    expect(play({ a: [{ trigger: 's', hosts: ['a'] }] }, firing({ trigger: 's', targets: ['a'] }))).toEqual({
      runs: ['a'],
      stopped: ['loop: s on a → s on a'],
    });
  });

  it('the loop guard ends a fan-out of 50 that notifies its origin', () => {
    const many = Array.from({ length: 50 }, (_, index) => `n${index}`);
    const notifies = Object.fromEntries(many.map((name) => [name, [{ trigger: 'back', hosts: ['origin'] }]]));
    const { runs, stopped } = play(
      { ...notifies, origin: [{ trigger: 'out', hosts: many }] },
      firing({ trigger: 'out', targets: many }),
    );
    expect(runs).toHaveLength(100);
    expect(stopped).toHaveLength(50);
  });

  it('the loop guard ends a chain without a cycle at its hop limit, with one skipped edge', () => {
    const line = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`n${i}`, [{ trigger: 't', hosts: [`n${i + 1}`] }]]),
    );
    const { runs, stopped } = play(line, firing({ trigger: 't', targets: ['n0'] }));
    expect(runs).toHaveLength(defaultTtl + 1);
    expect(stopped).toEqual([expect.stringMatching(/^hop limit reached: t on n0 → .* → t on n9$/)]);
  });

  it('the loop guard allows a diamond: two ways to one node are no cycle', () => {
    const notifies = {
      a: [
        { trigger: 'l', hosts: ['b'] },
        { trigger: 'r', hosts: ['c'] },
      ],
      b: [{ trigger: 'd', hosts: ['d'] }],
      c: [{ trigger: 'd', hosts: ['d'] }],
    };
    expect(play(notifies, firing({ trigger: 't', targets: ['a'] }))).toEqual({
      runs: ['a', 'b', 'c', 'd'],
      stopped: [],
    });
  });

  it('the loop guard continues the longest chain of a run’s firings', () => {
    const short = firing();
    const long = firing({ ttl: 3, chain: [{ firing: short.id, node: 'x', trigger: 't' }] });
    expect(chainOfRun([short, long], 'n')).toEqual({
      chain: [...long.chain, { firing: long.id, node: 'n', trigger: long.trigger }],
      ttl: 2,
    });
    expect(chainOfRun([], 'n')).toEqual({ chain: [], ttl: null });
  });
});
