import type { Firing } from '../../domain/firing.ts';
import type { Findings } from './findings.ts';
import { edge } from './graph.ts';

/**
 * Reads what led to these firings: every link of their chains with its run, what else that run satisfied, and so on. What
 * etcd has no more stays a gap that the chain still names.
 */
export const findAncestors = async (findings: Findings, firings: readonly Firing[]): Promise<void> => {
  const open = [...firings];
  const seen = new Set<string>();
  for (let firing = open.pop(); firing !== undefined; firing = open.pop()) {
    for (const { firing: id, node } of firing.chain.toReversed()) {
      if (seen.has(edge(id, node)) || !findings.hasCapacity()) continue;
      seen.add(edge(id, node));
      await findings.readFiring(id);
      const outcome = await findings.readOutcome(id, node);
      if (outcome !== undefined) open.push(...(await findings.readShared(outcome)));
    }
  }
};
