import { type Firing, firstFiringIdAt } from '../../domain/firing.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { readable } from '../../store/readable.ts';
import { parseFiring } from '../wire/firing.ts';
import type { Findings } from './findings.ts';
import { runIdOf } from './graph.ts';

/** A run's firings have ids of its time, by the clock of its own node; which may have been set meanwhile. */
const slackMs = 60_000;
const pageSize = 500;
/** Firings of that time that are looked at for one hop at most. */
const maxScanned = 10_000;

/** Reads what these runs have fired, what became of that everywhere, and so on. */
export const findDescendants = async (findings: Findings, runs: readonly Outcome[]): Promise<void> => {
  let level = runs.filter(hasRun);
  while (level.length > 0) {
    const next: Outcome[] = [];
    for await (const child of firedBy(findings, level)) {
      if (findings.has(child.id)) continue;
      if (!findings.hasCapacity()) return;
      next.push(...(await findings.readStatusIfThere(child.id)));
    }
    for (const outcome of next) await findings.readShared(outcome);
    level = next.filter(hasRun);
  }
};

const hasRun = ({ startedAt }: Outcome): boolean => startedAt !== null;

/** The firings whose chain ends in one of these runs; the run is among the findings then. */
async function* firedBy(findings: Findings, runs: readonly Outcome[]): AsyncGenerator<Firing> {
  const nodes = new Set(runs.map(({ node }) => node));
  const ids = new Set(runs.map(runIdOf));
  for await (const firing of firingsDuring(findings, runs)) {
    const link = firing.chain.at(-1);
    if (link === undefined || !nodes.has(link.node)) continue;
    const outcome = await findings.lookUpOutcome(link.firing, link.node);
    if (outcome === undefined || !ids.has(runIdOf(outcome))) continue;
    await findings.readFiring(link.firing);
    findings.addOutcome(outcome);
    yield firing;
  }
}

/** Firings with a chain from the time of these runs, in the order of their ids. */
async function* firingsDuring(findings: Findings, runs: readonly Outcome[]): AsyncGenerator<Firing> {
  const { store, keys } = findings.keyspace;
  const from = Math.min(...runs.map(({ startedAt }) => startedAt ?? Number.POSITIVE_INFINITY));
  const to = Math.max(...runs.map(({ finishedAt }) => finishedAt ?? Number.POSITIVE_INFINITY));
  const end = Number.isFinite(to) ? keys.firing(firstFiringIdAt(to + slackMs)) : null;
  let after = keys.firing(firstFiringIdAt(from - slackMs));
  for (let scanned = 0; scanned < maxScanned; scanned += pageSize) {
    const { entries, more } = await store.page(keys.firings, { after, limit: pageSize });
    for (const entry of entries) {
      if (end !== null && entry.key > end) return;
      // Most firings follow from none: no need to parse them.
      if (!entry.value.includes('"chain":[]')) yield* readable(parseFiring, entry);
    }
    after = entries.at(-1)?.key ?? after;
    if (!more) return;
  }
  findings.notes.add(`more than ${maxScanned} firings are of the time of these runs: not all of them were looked at`);
}
