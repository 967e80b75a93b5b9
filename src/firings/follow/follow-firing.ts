import { TriggerdError } from '../../domain/errors.ts';
import type { FiringId } from '../../domain/firing.ts';
import { isFinal, type Outcome } from '../../domain/outcome.ts';
import { pause } from '../../kit/pause.ts';
import { retryDelayMs, storeRetry } from '../../kit/retry.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import { readable } from '../../store/readable.ts';
import { parseOutcome, serializeOutcome } from '../wire/outcome.ts';
import { statusWithListing } from './origin.ts';

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
