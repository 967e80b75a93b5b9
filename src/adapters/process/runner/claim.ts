import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { LaunchPlan } from '../../../queue/ports.ts';
import { isMissing, jobFile, type Order, planFile } from '../job-files.ts';
import { identityOf, type ProcessIdentity, statOf } from '../process-identity.ts';

export interface ClaimedPlan {
  readonly plan: LaunchPlan;
  /** Writes down the job's first process, and closes the claim. */
  recordLeader(pid: number | undefined): void;
}

let ownIdentity: ProcessIdentity | undefined;

/** Takes the plan for this runner; undefined when it was voided. See job-files.ts for why this is a rename. */
export const claimPlan = ({ folder, token }: Order): ClaimedPlan | undefined => {
  const file = planFile(folder, token);
  const fd = openPlan(file);
  if (fd === undefined) return undefined;
  const plan = JSON.parse(readFileSync(fd, 'utf8')) as LaunchPlan;
  ownIdentity ??= identityOf(process.pid);
  const firstLine = `${JSON.stringify({ ...ownIdentity, token })}\n`;
  ftruncateSync(fd);
  writeSync(fd, firstLine, 0);
  if (!renamed(file, jobFile(folder, 'claim'))) {
    closeSync(fd);
    return undefined;
  }
  return {
    plan,
    recordLeader: (pid) => {
      const startTime = pid === undefined ? undefined : statOf(pid)?.startTime;
      if (startTime !== undefined) writeSync(fd, `${JSON.stringify({ pid, startTime })}\n`, firstLine.length);
      closeSync(fd);
    },
  };
};

const openPlan = (file: string): number | undefined => {
  try {
    return openSync(file, 'r+');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
};

const renamed = (from: string, to: string): boolean => {
  try {
    renameSync(from, to);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
};
