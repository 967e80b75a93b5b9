import type { Order } from '../adapters/process/job-files.ts';
import type { ProcessTree } from '../adapters/process/process-tree.ts';
import { liftLimits } from '../adapters/process/with-limits.ts';
import type { JobLimits, LaunchPlan } from '../queue/ports/runner.ts';

/** Where processes live that a job has left behind. */
export interface Shelter {
  /** The unit of systemd, if it is one. */
  readonly unit?: string;
  /** Takes in everything of the tree, also what is started meanwhile, and lifts the limits of the job. Throws when the system refuses. */
  takeIn(tree: ProcessTree): Promise<void>;
}

/** Throws when there is none; nothing has changed then. */
export type OpenShelter = (order: Order, plan: Pick<LaunchPlan, 'env' | 'limits'>) => Promise<Shelter>;

/** Without a cgroup nothing holds the processes of a job together: they stay where they are. */
export const openFields: OpenShelter = async (_order, { limits = {} }) => ({
  takeIn: async (tree) => {
    if (!isLimited(limits)) return;
    const lifted = new Set<number>();
    for (let fresh = tree.members(); fresh.length > 0; fresh = tree.members().filter((pid) => !lifted.has(pid))) {
      for (const pid of fresh) {
        liftLimits(pid, limits);
        lifted.add(pid);
      }
    }
  },
});

const isLimited = (limits: JobLimits): boolean => Object.values(limits).some((limit) => limit !== undefined);
