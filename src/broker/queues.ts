import type { Leg } from './request.ts';
import type { WorkerSession } from './sessions.ts';

interface Queue {
  /** Legs that have waited before: they go first. */
  readonly again: Set<Leg>;
  readonly fresh: Set<Leg>;
}

/** Legs that wait for a worker, by target. A queue exists only while it holds legs. */
export class Queues {
  readonly #queues = new Map<string, Queue>();

  length(target: string): number {
    const queue = this.#queues.get(target);
    return queue === undefined ? 0 : queue.again.size + queue.fresh.size;
  }

  /** Targets that legs wait for, and how many. */
  *lengths(): Generator<[target: string, length: number]> {
    for (const target of this.#queues.keys()) yield [target, this.length(target)];
  }

  add(leg: Leg, again: boolean): void {
    let queue = this.#queues.get(leg.target);
    if (queue === undefined) {
      queue = { again: new Set(), fresh: new Set() };
      this.#queues.set(leg.target, queue);
    }
    (again ? queue.again : queue.fresh).add(leg);
  }

  remove(leg: Leg): void {
    const queue = this.#queues.get(leg.target);
    if (queue === undefined) return;
    queue.again.delete(leg);
    queue.fresh.delete(leg);
    if (queue.again.size + queue.fresh.size === 0) this.#queues.delete(leg.target);
  }

  of(target: string): Leg[] {
    const queue = this.#queues.get(target);
    return queue === undefined ? [] : [...queue.again, ...queue.fresh];
  }

  /** The leg that has waited longest for a target that this worker serves. */
  oldestFor({ serves }: WorkerSession): Leg | undefined {
    const targets = serves.size < this.#queues.size ? serves : this.#queues.keys();
    let oldest: Leg | undefined;
    for (const target of targets) {
      const leg = serves.has(target) ? this.#first(target) : undefined;
      if (leg !== undefined && (oldest === undefined || leg.number < oldest.number)) oldest = leg;
    }
    return oldest;
  }

  #first(target: string): Leg | undefined {
    const queue = this.#queues.get(target);
    if (queue === undefined) return undefined;
    for (const leg of queue.again) return leg;
    for (const leg of queue.fresh) return leg;
    return undefined;
  }
}
