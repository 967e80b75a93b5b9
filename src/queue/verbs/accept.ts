import { TriggerdError } from '../../domain/errors.ts';
import type { Firing } from '../../domain/firing.ts';
import type { JobRequest } from '../../domain/job.ts';
import { coalescingKeyOf } from '../coalescing-key.ts';
import type { Acceptance } from '../ports.ts';
import { queueNamed, type Room } from '../room.ts';

/**
 * Takes a firing over: it is journalled when this returns, and owed from then on, so neither a full queue nor a drain
 * refuses it. It joins a queued job that would do the same, never a running one: that started before.
 */
export const accept = (room: Room, firing: Firing, request: JobRequest): Acceptance => {
  const queue = queueNamed(room, request.queue);
  if (room.phase === 'stopped') throw new TriggerdError('draining', 'The daemon is stopping.');
  const command = room.plugins.check(request);
  const coalescingKey = coalescingKeyOf(request);
  const acceptance = room.transitions.accept(firing, { request, command, coalescingKey, at: room.clock.now() });
  if (acceptance.kind === 'queued') room.wake(queue.name);
  return acceptance;
};
