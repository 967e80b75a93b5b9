import { check, type FaultRecord, type Violation } from './checker.ts';
import { startFleet } from './fleet.ts';
import type { Random } from './random.ts';
import { startStorm } from './storm.ts';

export interface Headline {
  readonly violations: Violation[];
  readonly record: FaultRecord;
  readonly strikes: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/**
 * Firings to three nodes while daemons and etcd members are killed and frozen, the network is cut, stalled and made deaf,
 * and etcd compacts. Some firings share their key and so their runs, some have runs of their own.
 */
export const headline = async (
  count: number,
  random: Random,
  every: readonly [number, number],
  settleMs: number,
): Promise<Headline> => {
  const startedAt = performance.now();
  const fleet = await startFleet({ nodes: 3, members: 3, config: '[history]\nkeep = 100000\nfirings_keep = 100000\n' });
  try {
    const storm = startStorm({ fleet, random, every });
    let next = 0;
    const producer = async (): Promise<void> => {
      while (next < count) {
        const number = next++;
        const isShared = number % 20 !== 0;
        await fleet.fire(isShared ? `shared-${number % 7}` : `own-${number}`, { giveUpMs: 120_000 });
      }
    };
    const progress = setInterval(
      () => process.stderr.write(`${Math.round((performance.now() - startedAt) / 1_000)} s: ${next}\n`),
      15_000,
    );
    await Promise.all(Array.from({ length: 12 }, producer)).finally(() => clearInterval(progress));
    await storm.stop();
    process.stderr.write(`all are published after ${Math.round((performance.now() - startedAt) / 1_000)} s\n`);
    await fleet.settled(settleMs).catch(() => undefined);
    const record = await fleet.record();
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    return { violations: check(record), record, strikes: storm.strikes, seconds };
  } finally {
    await fleet.remove();
  }
};

/** The figures, for people. */
export const describeHeadline = ({ record, violations, strikes, seconds }: Headline): string => {
  const { submissions, executions, outcomes } = record;
  const of = (invariant: string) => violations.filter((each) => each.invariant === invariant).length;
  return [
    `${submissions.length} firings, ${submissions.filter(({ ackedAt }) => ackedAt !== null).length} acknowledged`,
    `${outcomes.length} outcomes from ${executions.length} runs in ${seconds} s`,
    `lost ${of('I1')}, invented ${of('I2')}, run twice or not after acceptance ${of('I3')}, overlapping ${of('I4')}`,
    `faults: ${[...strikes].map(([name, times]) => `${name} ${times}`).join(', ')}`,
  ].join('\n');
};
