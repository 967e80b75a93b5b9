/** Ways through a causal graph. */
import type { WhyFiringView, WhyRunView, WhyView } from '../../api/contract/why.ts';

export interface Ways {
  readonly beginnings: readonly WhyFiringView[];
  runsOf(firing: WhyFiringView): readonly WhyRunView[];
  firedBy(run: WhyRunView): readonly WhyFiringView[];
  /** The firings of a run that are in the graph. */
  firingsOf(run: WhyRunView): readonly WhyFiringView[];
  /** Where it all began, for this firing or run. */
  beginningsOf(focus: string): readonly WhyFiringView[];
  /** How many firings stand one behind the other before this run, this firing included. */
  hopsBefore(focus: string): number;
}

export const waysThrough = ({ firings, runs }: Pick<WhyView, 'firings' | 'runs'>): Ways => {
  const firingById = new Map(firings.map((each) => [each.id, each]));
  const runById = new Map(runs.map((each) => [each.id, each]));
  const runsByFiring = grouped(runs.flatMap((run) => run.firings.map((id) => [id, run] as const)));
  const firingsByRun = grouped(firings.map((each) => [each.caused_by, each] as const));
  const firingsOf = (run: WhyRunView) => run.firings.flatMap((id) => firingById.get(id) ?? []);

  const beginningsOf = (focus: string): WhyFiringView[] => {
    const begun = new Set<WhyFiringView>();
    const seen = new Set<string>();
    const open = [focus];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      const [run, firing] = [runById.get(id), firingById.get(id)];
      if (run !== undefined) open.push(...run.firings);
      else if (firing?.caused_by === null) begun.add(firing);
      else if (firing !== undefined) open.push(firing.caused_by);
    }
    return firings.filter((each) => begun.has(each));
  };

  const hopsBefore = (focus: string): number => {
    const run = runById.get(focus);
    // Of several the last one has come the longest way.
    if (run !== undefined) return hopsBefore(firingsOf(run).at(-1)?.id ?? '');
    const firing = firingById.get(focus);
    if (firing === undefined) return 0;
    return 1 + (firing.caused_by === null ? 0 : hopsBefore(firing.caused_by));
  };

  return {
    beginnings: firings.filter((each) => each.caused_by === null),
    runsOf: ({ id }) => runsByFiring.get(id) ?? [],
    firedBy: ({ id }) => firingsByRun.get(id) ?? [],
    firingsOf,
    beginningsOf,
    hopsBefore,
  };
};

const grouped = <K, V>(pairs: readonly (readonly [K, V])[]): Map<K, V[]> => {
  const groups = new Map<K, V[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
};
