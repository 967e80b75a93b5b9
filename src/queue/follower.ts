import type { Job, JobRequest } from '../domain/job.ts';
import { exitCodeOf } from '../domain/result.ts';
import type { NewJob } from './ports/new-job.ts';
import type { Room } from './room.ts';
import type { Ending } from './transitions.ts';

/**
 * The job that tells of the end of this one, if somebody is to be told. It is journalled together with that end, so that
 * neither a crash nor a restart loses it, and goes to the head of the same queue.
 */
export const followerOf = (room: Room, job: Job, { result }: Ending): NewJob | undefined => {
  const { onFinish, queue, env, cwd, user, tsp } = job.request;
  if (onFinish === undefined) return undefined;
  const request: JobRequest = {
    queue,
    plugin: 'command',
    argv: [
      onFinish,
      String(tsp?.number ?? job.id),
      String(exitCodeOf(result)),
      `${job.folder}/output`,
      tsp?.command ?? job.command,
    ],
    args: {},
    env,
    cwd,
    payload: null,
    noop: false,
    label: null,
    timeoutMs: null,
    after: null,
    urgent: true,
    source: job.request.source,
    tellsOf: job.id,
    ...(user === undefined ? {} : { user }),
  };
  try {
    const command = room.plugins.check(request);
    return { request: room.plugins.settled(request), command, coalescingKey: null, at: room.clock.now() };
  } catch (thrown) {
    room.log.error({ error: thrown, job: job.id }, 'The --on-finish command of a job cannot be run');
    return undefined;
  }
};
