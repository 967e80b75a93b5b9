/** What was found in etcd for one `why`, and how to look for more. */
import { TriggerdError } from '../../domain/errors.ts';
import { type Firing, type FiringId, isFiringId } from '../../domain/firing.ts';
import { isFinal, type Outcome } from '../../domain/outcome.ts';
import { readable } from '../../store/document.ts';
import type { Keyspace } from '../../store/keys.ts';
import { firingStatus } from '../follow/follow-firing.ts';
import { parseFiring } from '../wire/firing.ts';
import { parseOutcome } from '../wire/outcome.ts';
import { type CausalGraph, causalGraph, edge, sharedBy } from './graph.ts';

/** Firings in one graph at most. */
const maxFirings = 200;
/** Nodes shown of one firing at most; those that did not end well first. */
const maxNodes = 100;

/** How many nodes have which result or, before the end, are in which stage. */
export type Tally = Readonly<Record<string, number>>;

export class Findings {
  readonly keyspace: Keyspace;
  /** What the reader should know about gaps, one line each. */
  readonly notes = new Set<string>();
  readonly #firings = new Map<FiringId, Firing>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #tallies = new Map<FiringId, Tally>();

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  get firings(): Firing[] {
    return [...this.#firings.values()];
  }

  has(id: FiringId): boolean {
    return this.#firings.has(id);
  }

  /** Of the firings whose every node was looked at. */
  get tallies(): ReadonlyMap<FiringId, Tally> {
    return this.#tallies;
  }

  graph(): CausalGraph {
    return causalGraph(this.firings, [...this.#outcomes.values()]);
  }

  addFiring(firing: Firing): void {
    this.#firings.set(firing.id, firing);
  }

  addOutcome(outcome: Outcome): void {
    this.#outcomes.set(edge(outcome.firing, outcome.node), outcome);
  }

  /** Whether there is room for one more firing; says so in a note when there is none. */
  hasCapacity(): boolean {
    if (this.#firings.size < maxFirings) return true;
    this.notes.add(`only the first ${maxFirings} firings are shown`);
    return false;
  }

  /** Undefined when etcd has none, or has something there that is no firing. */
  async readFiring(id: FiringId): Promise<Firing | undefined> {
    const known = this.#firings.get(id);
    if (known !== undefined || !isFiringId(id)) return known;
    const entry = await this.keyspace.store.get(this.keyspace.keys.firing(id));
    const [firing] = entry === undefined ? [] : readable(parseFiring, entry);
    if (firing !== undefined) this.addFiring(firing);
    return firing;
  }

  async readOutcome(id: FiringId, node: string): Promise<Outcome | undefined> {
    const outcome = await this.lookUpOutcome(id, node);
    if (outcome !== undefined) this.addOutcome(outcome);
    return outcome;
  }

  /** Without keeping it: it may turn out to be of no interest. */
  async lookUpOutcome(id: FiringId, node: string): Promise<Outcome | undefined> {
    const known = this.#outcomes.get(edge(id, node));
    if (known !== undefined) return known;
    const entry = await this.keyspace.store.get(this.keyspace.keys.outcome(id, node));
    return entry === undefined ? undefined : readable(parseOutcome, entry)[0];
  }

  /** Reads a firing with what became of it everywhere; gives all outcomes, and keeps those worth showing. Throws `firing-not-found`. */
  async readStatus(id: FiringId): Promise<readonly Outcome[]> {
    const { firing, outcomes } = await firingStatus(this.keyspace, id);
    this.addFiring(firing);
    this.#tallies.set(id, tallyOf(outcomes));
    for (const outcome of outcomes.toSorted((a, b) => interest(b) - interest(a)).slice(0, maxNodes))
      this.addOutcome(outcome);
    return outcomes;
  }

  /** The same for one that may be gone by now, or whose list of targets may be no such list. */
  async readStatusIfThere(id: FiringId): Promise<readonly Outcome[]> {
    try {
      return await this.readStatus(id);
    } catch (error) {
      const codes: readonly string[] = ['firing-not-found', 'firing-malformed'];
      if (error instanceof TriggerdError && codes.includes(error.code)) return [];
      throw error;
    }
  }

  /** Reads the other firings that the same run satisfied. */
  async readShared(outcome: Outcome): Promise<Firing[]> {
    const others = sharedBy(outcome).firings.filter((id) => !this.#outcomes.has(edge(id, outcome.node)));
    const found: Firing[] = [];
    for (const id of others) {
      if (!this.has(id) && !this.hasCapacity()) break;
      const firing = await this.readFiring(id);
      if (firing === undefined) continue;
      // It may have been cancelled before the run.
      const said = await this.lookUpOutcome(id, outcome.node);
      this.addOutcome(said ?? { ...outcome, firing: id });
      found.push(firing);
    }
    return found;
  }
}

const tallyOf = (outcomes: readonly Outcome[]): Tally => {
  const tally: Record<string, number> = {};
  for (const { result, stage } of outcomes) tally[result ?? stage] = (tally[result ?? stage] ?? 0) + 1;
  return tally;
};

const interest = ({ stage, result }: Outcome): number => {
  if (stage === 'finished') return result === 'succeeded' ? 0 : 3;
  return isFinal(stage) || stage === 'deferred' ? 2 : 1;
};
