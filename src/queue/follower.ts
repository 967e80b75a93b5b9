import { type Job, type JobRequest, plainRequest, tspLevel } from '../domain/job.ts';
import { exitCodeOf, type JobResult } from '../domain/result.ts';
import type { QueueContext } from './context.ts';
import type { NewJob } from './ports/journal.ts';
import type { JobEnd } from './transitions.ts';

/**
 * The job that tells of the end of this one, if somebody is to be told. It is journalled together with that end, so that
 * neither a crash nor a restart loses it, and goes to the head of the same queue.
 */
export const followerOf = (context: QueueContext, job: Job, { result }: JobEnd): NewJob | undefined => {
  const { onFinish, queue, env, cwd, user } = job.request;
  if (onFinish === undefined) return undefined;
  const request: JobRequest = {
    ...plainRequest,
    queue,
    plugin: 'command',
    argv: [onFinish, ...wordsAbout(job, result)],
    env,
    cwd,
    urgent: true,
    source: job.request.source,
    tellsOf: job.id,
    ...(user === undefined ? {} : { user }),
  };
  try {
    const command = context.plugins.check(request);
    return { request: context.plugins.settled(request), command, coalescingKey: null, at: context.clock.now() };
  } catch (thrown) {
    context.log.error({ error: thrown, job: job.id }, 'Cannot run the --on-finish command of a job');
    return undefined;
  }
};

/** Of a job of tsp: its number, and -1 where it has no exit code of its own. With `-n` there is no output to tell of. */
const wordsAbout = (job: Job, result: JobResult): readonly string[] => {
  const { tsp } = job.request;
  const output = `${job.folder}/output`;
  if (tsp === undefined) return [String(job.id), String(exitCodeOf(result)), output, job.command];
  const level = tspLevel(result.kind === 'succeeded' || result.kind === 'failed' ? result.exitCode : null);
  return [String(tsp.number), String(level), ...(tsp.stored ? [output, tsp.command] : [])];
};
