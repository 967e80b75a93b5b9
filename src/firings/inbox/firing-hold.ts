import type { Deferral } from '../../domain/job.ts';
import type { NodeName } from '../../fleet/names/node-name.ts';
import type { Plugins } from '../../queue/ports/plugins.ts';

const notOurs: Omit<Deferral, 'since'> = { reason: 'another daemon has this node’s name', paths: [] };

/** Who is asked before a job of a firing starts; nobody until `by` is called. */
export interface FiringHold {
  by(name: Pick<NodeName, 'answered' | 'isRefused'>): void;
  obstacle: Plugins['obstacle'];
}

/**
 * Jobs of firings wait while another daemon may have the node's name: in a copied journal they are that one's. Before the
 * first answer of etcd nothing is known of that; where etcd is away, whoever had the name continues.
 */
export const createFiringHold = (): FiringHold => {
  let name: Pick<NodeName, 'answered' | 'isRefused'> | undefined;
  return {
    by: (known) => {
      name = known;
    },
    obstacle: async ({ request: { source } }) => {
      if (source !== 'firing' || name === undefined) return null;
      await name.answered();
      return name.isRefused() ? notOurs : null;
    },
  };
};
