import { nextCall } from '../../kit/next-call.ts';
import { watchFolder } from '../../kit/watch-folder.ts';
import type { RunExit } from '../../queue/ports/runner.ts';
import { type Claim, readClaim, readStatus, voidPlans } from './job-files.ts';
import { bootId, isAlive, statOf } from './process-identity.ts';
import { groupTree } from './process-tree.ts';
import { stopTree } from './stop-tree.ts';

/** How often a runner that should be alive is looked at. */
const livenessMs = 500;

/**
 * What became of the plan in this folder. A plan that nobody has claimed is made void (`never-started`); a claimed one
 * is waited for as long as its runner lives. When a runner died without a status, what is left of its job is killed
 * first, so that `lost` also means: nothing runs any more. A damaged claim is from before a power cut, so nothing does.
 */
export const awaitExit = async (folder: string): Promise<RunExit | 'never-started' | 'lost'> => {
  if (voidPlans(folder)) return 'never-started';
  const claim = readClaim(folder);
  if (claim === undefined) return 'never-started';
  if (claim === 'damaged') return 'lost';
  const ending = await untilOver(folder, claim);
  if (ending !== undefined) return ending;
  // Given back: the system refused to start the job.
  if (readClaim(folder) === undefined) return 'never-started';
  await killRest(claim);
  return 'lost';
};

/** The status when there is one; undefined when the runner has died without. */
const untilOver = async (folder: string, claim: Claim): Promise<RunExit | undefined> => {
  for (;;) {
    // Looked at before the status is read: a runner that is dead now has written all that it ever will.
    const wasAlive = isAlive(claim.runner);
    const ending = readStatus(folder, claim.runner.token);
    if (ending !== undefined || !wasAlive) return ending;
    await somethingHappens(folder);
  }
};

/** Resolves at the next change in the folder, and anyway soon: a watch may fail, and a death makes no event. */
const somethingHappens = (folder: string): Promise<void> =>
  nextCall((call) => {
    const onEntry = (name: string | null): void => (name === null || name === 'status.json' ? call() : undefined);
    return watchFolder(folder, onEntry, { everyMs: livenessMs });
  });

const killRest = async ({ runner, leader }: Claim): Promise<void> => {
  if (runner.bootId !== bootId()) return;
  const group = leader !== undefined && isStillOurs(leader) ? leader.pid : nobody;
  await stopTree(groupTree(group, runner.token), 0);
};

/** A group that never exists: then only the token counts. */
const nobody = 2 ** 30;

/** The pid of a dead leader is not given away while its group lives; one of another start time is somebody else's. */
const isStillOurs = (leader: { pid: number; startTime: string }): boolean => {
  const now = statOf(leader.pid);
  return now === undefined || now.startTime === leader.startTime;
};
