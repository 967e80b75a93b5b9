/** The origin's side: what has been fired, and what every target has said about it. */
import { TriggerdError } from '../../domain/errors.ts';
import type { Firing, FiringId, WholeFiring } from '../../domain/firing.ts';
import { type Outcome, owedOutcome } from '../../domain/outcome.ts';
import type { Listing } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import { byName, readable } from '../../store/readable.ts';
import { parseFiring } from '../wire/firing.ts';
import { parseOutcome } from '../wire/outcome.ts';
import { readWholeFiring } from './whole-firing.ts';

export interface FiringStatus {
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
export const statusWithListing = async (
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
