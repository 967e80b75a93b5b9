import { TriggerdError } from '../../domain/errors.ts';
import type { Firing, FiringId, WholeFiring } from '../../domain/firing.ts';
import { isFinal, type Outcome, owedOutcome } from '../../domain/outcome.ts';
import { pause } from '../../kit/pause.ts';
import { retryDelayMs, storeRetry } from '../../kit/retry.ts';
import { byName, readable } from '../../store/document.ts';
import type { Listing } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keys.ts';
import { parseFiring, parseWholeFiring } from '../wire/firing.ts';
import { parseOutcome, serializeOutcome } from '../wire/outcome.ts';

/**
 * The outcomes of a firing: first every target's present one, then each as it changes, until all targets are final or
 * `signal` aborts. Lists again after any trouble with etcd. Throws for the first listing only: `firing-not-found`,
 * `firing-malformed`, and the store's errors.
 */
export async function* followFiring(
  keyspace: Keyspace,
  id: FiringId,
  signal: AbortSignal,
): AsyncGenerator<Outcome, void, undefined> {
  const told = new Map<string, Outcome>();
  let failures = 0;
  while (!signal.aborted) {
    try {
      for await (const outcome of listAndWatch(keyspace, id, signal)) {
        failures = 0;
        if (!isNews(told.get(outcome.node), outcome)) continue;
        told.set(outcome.node, outcome);
        yield outcome;
      }
      return;
    } catch (error) {
      const isOutage = error instanceof TriggerdError && error.retryable;
      if (told.size === 0 || !isOutage) throw error;
      await pause(retryDelayMs(storeRetry, ++failures), signal);
    }
  }
}

/** Ends quietly when all targets are final. */
async function* listAndWatch(
  keyspace: Keyspace,
  id: FiringId,
  signal: AbortSignal,
): AsyncGenerator<Outcome, void, undefined> {
  const { status, listing } = await statusWithListing(keyspace, id);
  const targets = new Set(status.firing.targets);
  const open = new Set(targets);
  const settle = (outcome: Outcome) => isFinal(outcome.stage) && open.delete(outcome.node);
  for (const outcome of status.outcomes) {
    settle(outcome);
    yield outcome;
  }
  if (open.size === 0) return;
  for await (const { events } of keyspace.store.watch(keyspace.keys.outcomes(id), listing.revision + 1n, signal)) {
    const outcomes = events.flatMap((event) => (event.kind === 'put' ? readable(parseOutcome, event.entry) : []));
    for (const outcome of outcomes.filter(({ node }) => targets.has(node))) {
      settle(outcome);
      yield outcome;
    }
    if (open.size === 0) return;
  }
}

const isNews = (before: Outcome | undefined, now: Outcome): boolean =>
  before === undefined || serializeOutcome(before) !== serializeOutcome(now);

/**
 * A committed firing with its targets, whether their list is in it or in a key of its own. Undefined when it is not
 * there, or has just gone. Throws `firing-malformed` and the store's errors.
 */
export const readWholeFiring = async ({ store, keys }: Keyspace, id: FiringId): Promise<WholeFiring | undefined> => {
  const committed = await store.get(keys.firing(id));
  if (committed === undefined) return undefined;
  const firing = parseFiring(committed.key, committed.value);
  if (firing.targets !== null) return firing;
  const whole = await store.get(keys.targets(id));
  return whole && parseWholeFiring(whole.key, whole.value);
};

/** What has been fired, and what every target has said about it. */
interface FiringStatus {
  readonly firing: WholeFiring;
  /** One for every target, in the firing's order; `owed` where the target has said nothing yet. */
  readonly outcomes: readonly Outcome[];
}

/** The newest first, large ones without their targets. What is not a firing is left out. */
export const recentFirings = async ({ store, keys }: Keyspace, limit: number): Promise<Firing[]> =>
  (await store.newest(keys.firings, limit)).flatMap((entry) => readable(parseFiring, entry));

/** Throws `firing-not-found`, `firing-malformed`, and the store's errors. */
export const firingStatus = async (keyspace: Keyspace, id: FiringId): Promise<FiringStatus> =>
  (await statusWithListing(keyspace, id)).status;

/** The status, and the listing that it comes from: a watch of the outcomes continues from there. */
const statusWithListing = async (
  keyspace: Keyspace,
  id: FiringId,
): Promise<{ status: FiringStatus; listing: Listing }> => {
  const firing = await readWholeFiring(keyspace, id);
  if (firing === undefined) throw new TriggerdError('firing-not-found', `there is no firing ${id} in etcd`);
  const listing = await keyspace.store.list(keyspace.keys.outcomes(id));
  const said = byName(listing, parseOutcome);
  const outcomes = firing.targets.map((node) => said.get(node) ?? owedOutcome(id, node));
  return { status: { firing, outcomes }, listing };
};
