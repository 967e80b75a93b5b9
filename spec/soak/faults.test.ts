import { expect, it } from 'vitest';
import {
  burstDuringRun,
  killDaemon,
  killMember,
  loseAnswers,
  type Round,
  raceVerbs,
  silence,
} from '../support/fault-rounds.ts';
import { type FleetOptions, startFleet } from '../support/fleet.ts';
import { announced } from '../support/random.ts';

/** Rounds of each fault; six of them make 300 random timings. */
const rounds = Number(process.env['SOAK_ROUNDS'] ?? 50);
const perCheck = 10;

const faults: readonly (readonly [string, Round, FleetOptions])[] = [
  ['A1 A2 A3: daemons killed', killDaemon, { nodes: 2 }],
  ['B4: members killed', killMember, { nodes: 2, members: 3 }],
  ['B5: links silent', silence, { nodes: 2, members: 3 }],
  ['B8: answers lost', loseAnswers, { nodes: 2 }],
  ['C8: verbs racing', raceVerbs, { nodes: 1 }],
  ['C10: bursts during runs', burstDuringRun, { nodes: 1 }],
];

it.each(faults)(
  `%s, ${rounds} random timings: nothing is lost, run twice or overlapping`,
  async (what, fault, options) => {
    const random = announced(what);
    const fleet = await startFleet({ ...options, config: '[history]\nkeep = 100000\n' });
    const startedAt = performance.now();
    try {
      for (let round = 0; round < rounds; round++) {
        await fault(fleet, random, `r${round}`);
        if (round % perCheck === perCheck - 1 || round === rounds - 1)
          expect(await fleet.verdict({ complete: false }, 90_000)).toEqual([]);
      }
      const { submissions, executions, outcomes } = await fleet.record();
      const seconds = Math.round((performance.now() - startedAt) / 1_000);
      process.stderr.write(
        `${what}: ${rounds} rounds, ${submissions.length} firings, ${outcomes.length} outcomes, ${executions.length} runs, ${seconds} s\n`,
      );
    } finally {
      await fleet.remove();
    }
  },
);
