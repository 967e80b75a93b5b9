import type { Deferral } from '../../domain/job.ts';
import type { NodeName } from '../../fleet/names/node-name.ts';
import type { Clock } from '../../kit/clock.ts';
import type { FiringLog } from '../../queue/ports/journal.ts';
import type { JobGate } from '../../queue/ports/plugins.ts';
import { reasonToSkip } from './ended-elsewhere.ts';

const notOurs: Omit<Deferral, 'since'> = { reason: 'another daemon has this node’s name', paths: [] };

export interface FiringGate extends JobGate {
  /** From now on jobs of firings wait for this name. */
  waitFor(name: Pick<NodeName, 'answered' | 'isRefused'>): void;
}

/**
 * Jobs of firings wait while another daemon may have the node's name: in a copied journal they are that one's. Before the
 * first answer of etcd nothing is known of that; where etcd is away, whoever had the name continues. Jobs whose firings
 * are owed no more are skipped.
 */
export const createFiringGate = (firings: Pick<FiringLog, 'ofJob'>, clock: Clock): FiringGate => {
  let name: Pick<NodeName, 'answered' | 'isRefused'> | undefined;
  return {
    waitFor: (known) => {
      name = known;
    },
    obstacle: async ({ request: { source } }) => {
      if (source !== 'firing' || name === undefined) return null;
      await name.answered();
      return name.isRefused() ? notOurs : null;
    },
    reasonToSkip: (job) => reasonToSkip(firings, job, clock.now()),
  };
};
