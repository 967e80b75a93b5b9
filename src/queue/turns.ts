/**
 * Scheduling. p-queue gives out the slots; what it holds is not jobs but *turns*, and a turn takes whatever is the
 * journal's head when its slot comes. So urgent, swap and remove are matters of the journal alone, and p-queue never has
 * more than a few turns waiting however long the queue is.
 *
 * No wake-up is lost: a waiting turn looks at the journal later than whatever made it worth looking, a turn that took a
 * job wakes the queue again when the job is over, and a turn that finds nothing ends without giving way in between.
 */
import type { QueuedJob, RunningJob } from '../domain/job.ts';
import type { NamedQueue, Room } from './room.ts';
import { runJob } from './run-job.ts';

/** How long a queue rests after trouble with the journal or with starting runners. */
const restMs = 1000;
/** Adopted jobs take their slots before anything new does. */
const adoptedFirst = 1;

/** See `Room.wake`. */
export const wake = (room: Room, queue: NamedQueue): void => {
  if (room.phase !== 'running' || queue.isPaused) return;
  while (queue.turns.size < queue.turns.concurrency && mayHaveMore(room, queue)) {
    addTurn(queue, () => takeTurn(room, queue));
  }
};

/** Lets a job that already runs hold a slot until `over`. */
export const holdSlot = (queue: NamedQueue, over: Promise<void>): void => addTurn(queue, () => over, adoptedFirst);

const addTurn = (queue: NamedQueue, turn: () => Promise<void>, priority = 0): void => {
  // A turn never rejects; p-queue's own promise is of no interest.
  void queue.turns.add(turn, { priority }).catch(() => undefined);
};

const mayHaveMore = (room: Room, queue: NamedQueue): boolean =>
  queue.turns.size < room.journal.count(queue.name, 'queued');

const takeTurn = async (room: Room, queue: NamedQueue): Promise<void> => {
  try {
    const job = await inOrder(queue, () => choose(room, queue));
    if (job === undefined) return;
    await runJob(room, job);
    wake(room, queue);
  } catch (thrown) {
    room.log.error(
      { error: thrown, queue: queue.name },
      'The queue rests a moment: its next job could not be started.',
    );
    setTimeout(() => wake(room, queue), restMs).unref();
  }
};

/** One at a time per queue: between the look at the head and its start others may run, and must not see the same head. */
const inOrder = async <T>(queue: NamedQueue, work: () => Promise<T>): Promise<T> => {
  const before = queue.choosing;
  let done: () => void = () => undefined;
  queue.choosing = new Promise((resolve) => {
    done = resolve;
  });
  await before;
  try {
    return await work();
  } finally {
    done();
  }
};

/**
 * The first job that nothing is in the way of, started. Before it, those that something is in the way of are deferred,
 * and those that have lost their purpose are skipped.
 */
const choose = async (room: Room, queue: NamedQueue): Promise<RunningJob | undefined> => {
  for (;;) {
    const head = candidate(room, queue);
    if (head === undefined) return undefined;
    const obstacle = await room.plugins.obstacle(head);
    // Much may have happened meanwhile: pause, remove, something more urgent.
    if (candidate(room, queue)?.id !== head.id) continue;
    const lostPurpose = room.reasonToSkip?.(head) ?? null;
    if (lostPurpose !== null) room.transitions.skip(head.id, lostPurpose);
    else if (obstacle === null) return room.transitions.start(head.id);
    else room.deferrals.defer(head, obstacle);
  }
};

const candidate = (room: Room, queue: NamedQueue): QueuedJob | undefined =>
  room.phase === 'running' && !queue.isPaused ? room.journal.head(queue.name) : undefined;
