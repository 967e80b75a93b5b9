import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { jobFile, type Order, planFile } from '../adapters/process/job-files.ts';
import { identityOf, type ProcessIdentity, statOf } from '../adapters/process/process-identity.ts';
import { isMissing } from '../adapters/system/is-missing.ts';
import type { LaunchPlan } from '../queue/ports/runner.ts';

/** A plan that nobody has claimed yet. */
export interface OpenPlan {
  readonly plan: LaunchPlan;
  /** Takes it for this runner; false when it was voided. See job-files.ts for why this is a rename. */
  claim(): boolean;
  /** Takes our claim back, if we have it: nothing was started. */
  unclaim(): void;
  /** Writes down the job's first process. */
  recordLeader(pid: number): void;
  close(): void;
}

let ownIdentity: ProcessIdentity | undefined;

/** The plan of this order; undefined when it was voided. */
export const openPlan = ({ folder, token }: Order): OpenPlan | undefined => {
  const file = planFile(folder, token);
  const fd = opened(file);
  if (fd === undefined) return undefined;
  const plan = JSON.parse(readFileSync(fd, 'utf8')) as LaunchPlan;
  ownIdentity ??= identityOf(process.pid);
  let isClaimed = false;
  const firstLine = `${JSON.stringify({ ...ownIdentity, token })}\n`;
  return {
    plan,
    claim: () => {
      ftruncateSync(fd);
      writeSync(fd, firstLine, 0);
      isClaimed = renamed(file, jobFile(folder, 'claim'));
      return isClaimed;
    },
    unclaim: () => {
      if (isClaimed) rmSync(jobFile(folder, 'claim'), { force: true });
    },
    recordLeader: (pid) => {
      const startTime = statOf(pid)?.startTime;
      if (startTime === undefined) return;
      try {
        writeSync(fd, `${JSON.stringify({ pid, startTime })}\n`, firstLine.length);
      } catch {
        // The job runs, so a full disk must not end it: without this line its processes are found by their token.
      }
    },
    close: () => closeSync(fd),
  };
};

const opened = (file: string): number | undefined => {
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
