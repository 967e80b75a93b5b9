import { owedOutcome } from '../../src/domain/outcome.ts';
import { recordOutcome } from '../../src/firings/outcomes/record-outcome.ts';
import type { RoundOptions } from '../../src/firings/sweep/part.ts';
import { Election } from '../../src/store/election.ts';
import type { HeldKey, KeyStore } from '../../src/store/key-store.ts';
import { type Keyspace, keysBelow } from '../../src/store/keys.ts';
import { recordingLog } from './recording-log.ts';

export const keys = keysBelow('/trigger');

/** Is elected as the sweeper. */
export const winElection = async (store: KeyStore): Promise<{ election: Election; held: HeldKey }> => {
  const held = await store.holdKey(keys.election('sweeper'), '{}');
  if (held === undefined) throw new Error('somebody else is elected');
  return { election: new Election(store, held), held };
};

export const roundOptions = (store: KeyStore, election: Election, more: Partial<RoundOptions> = {}): RoundOptions => ({
  store,
  keys,
  election,
  abandonedMs: 600_000,
  firingsKept: 1_000,
  firingsMaxAgeMs: 30 * 86_400_000,
  requestsMaxAgeMs: 7 * 86_400_000,
  requestsSize: 64 * 2 ** 20,
  clock: { now: () => Date.now() },
  log: recordingLog(),
  ...more,
});

/** Ends a firing as its node would. */
export const finish = (keyspace: Keyspace, firing: string, node: string, at = Date.now()) =>
  recordOutcome(keyspace, { ...owedOutcome(firing, node), stage: 'finished', result: 'succeeded', finishedAt: at });

/** Says that a node has it in its queue, or runs it. */
export const say = (keyspace: Keyspace, firing: string, node: string, stage: 'queued' | 'running' | 'deferred') =>
  recordOutcome(keyspace, { ...owedOutcome(firing, node), stage, jobId: 7, queuedAt: 1 });
