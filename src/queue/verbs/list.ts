import type { ListedJob } from '../../domain/job.ts';
import type { QueueContext } from '../context.ts';
import type { InMemoryJob } from '../in-memory/in-memory-jobs.ts';
import type { JobFilter } from '../ports/journal.ts';

/** What the journal lists, and at their places the requests that run in memory or are not in the journal yet. */
export const list = ({ journal, inMemory }: QueueContext, filter: JobFilter): ListedJob[] => {
  const listedInMemory = (inMemory?.list(filter.queue) ?? []).map(listed).filter((job) => isWanted(job, filter));
  const listedJobs = journal.list(filter);
  if (listedInMemory.length === 0) return listedJobs;
  const all = [...listedJobs, ...listedInMemory];
  return filter.limit === undefined
    ? newestEnded(all.sort(byStage), filter.endedLimit)
    : all.sort(byId(filter)).slice(0, filter.limit);
};

/** Ended ones come first, oldest first. */
const newestEnded = (jobs: readonly ListedJob[], limit: number | undefined): ListedJob[] => {
  const ended = jobs.filter((job) => stageOf(job) === 0).length;
  return jobs.slice(Math.max(0, ended - (limit ?? ended)));
};

const listed = ({ job }: InMemoryJob): ListedJob => {
  const { argv: _argv, args: _args, env: _env, payload: _payload, ...request } = job.request;
  return { ...job, request };
};

const isWanted = ({ state, id }: ListedJob, { states, limit, afterId, newestFirst = false }: JobFilter): boolean => {
  if (states !== undefined && !states.includes(state)) return false;
  if (limit === undefined || afterId === undefined) return true;
  return newestFirst ? id < afterId : id > afterId;
};

const byId =
  ({ newestFirst = false }: JobFilter) =>
  (a: ListedJob, b: ListedJob): number =>
    newestFirst ? b.id - a.id : a.id - b.id;

/** Ended, running, queued; the sort is stable, so queued ones stay in their order. */
const byStage = (a: ListedJob, b: ListedJob): number => stageOf(a) - stageOf(b) || timeOf(a) - timeOf(b);

const stageOf = ({ state }: ListedJob): number => (state === 'queued' ? 2 : state === 'running' ? 1 : 0);

const timeOf = (job: ListedJob): number =>
  job.state === 'queued' ? 0 : job.state === 'running' ? job.startedAt : job.finishedAt;
