/**
 * The loop guard. A run that a firing has started may publish firings itself; each of those carries the chain of firings
 * that led to it, and how many hops may still follow. The *target* checks both before it runs anything, so a stopped edge
 * is a recorded outcome and not a silent gap.
 */
import type { ChainLink, Firing } from './firing.ts';

/** What a firing that is published inside a run continues. */
export interface RunChain {
  readonly chain: readonly ChainLink[];
  /** Hops still allowed to it; −1 means none: its targets stop it. Null: the run was not started by a firing. */
  readonly ttl: number | null;
}

export const noChain: RunChain = { chain: [], ttl: null };

/**
 * The chain of a run on `node` that satisfies these firings. Of several the longest chain is continued: every way round a
 * loop then makes it longer, so every loop ends, whatever else has joined the same run.
 */
export const chainOfRun = (firings: readonly Firing[], node: string): RunChain => {
  const [deepest] = firings.toSorted((a, b) => b.chain.length - a.chain.length || a.ttl - b.ttl);
  if (deepest === undefined) return noChain;
  const link = { firing: deepest.id, node, trigger: deepest.trigger };
  return { chain: [...deepest.chain, link], ttl: Math.max(-1, deepest.ttl - 1) };
};

/** Why `node` must not run this firing; null: it may. The text names every edge of the way. */
export const stoppedByLoopGuard = (firing: Firing, node: string): string | null => {
  const from = firing.chain.findIndex((link) => link.node === node && link.trigger === firing.trigger);
  if (from >= 0) return `loop: ${wayTo(firing, node, from)}`;
  if (firing.ttl < 0) return `hop limit reached: ${wayTo(firing, node, 0)}`;
  return null;
};

const wayTo = ({ chain, trigger }: Firing, node: string, from: number): string =>
  [...chain.slice(from), { trigger, node }].map((edge) => `${edge.trigger} on ${edge.node}`).join(' → ');
