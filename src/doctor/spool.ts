import { formatDuration } from '../kit/duration.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import type { Surroundings } from './ports.ts';

const oldMs = 300_000;

/** Firings that etcd does not have yet, and documents that were set aside. */
export const checkSpool = async (
  { machine, now }: Surroundings,
  folder: string,
  oldestAt: string | null,
): Promise<Finding[]> => {
  if ((await machine.place(folder)) === undefined)
    return [fine('spool', `nothing waits (${folder} is created when a firing waits)`)];
  const waiting = (await machine.names(folder)).filter(
    (name) => name.endsWith('.json') && !name.startsWith('.'),
  ).length;
  const rejected = (await machine.names(`${folder}/rejected`)).filter((name) => name.endsWith('.json')).length;
  const findings = waiting === 0 ? [fine('spool', 'nothing waits')] : [waitingFinding(waiting, oldestAt, now())];
  if (rejected > 0) {
    const what = `${rejected} ${rejected === 1 ? 'document was' : 'documents were'} refused`;
    findings.push(warning('spool', what, `Read ${folder}/rejected/*.reason, then delete them.`));
  }
  return findings;
};

const waitingFinding = (waiting: number, oldestAt: string | null, now: number): Finding => {
  const age = oldestAt === null ? 0 : now - Date.parse(oldestAt);
  const firings = `${waiting} ${waiting === 1 ? 'firing waits' : 'firings wait'} for etcd`;
  if (age > oldMs) {
    const what = `${firings}, the oldest for ${formatDuration(Math.round(age / 60_000) * 60_000)}`;
    return wrong('spool', what, 'Make etcd reachable. Until then, nothing is lost.');
  }
  return warning('spool', firings, 'The daemon, or the next Puppet run, publishes them when etcd answers.');
};
