/** The three algorithms: which legs a request begins with, and what follows the end of a leg. */

import { targetOf } from '../domain/target.ts';
import type { Legs } from './legs.ts';
import type { Leg, Request } from './request.ts';

/** Begins the first legs. */
export const beginRequest = (legs: Legs, request: Request): void => {
  const { team, name, workers, algorithm } = request.service;
  if (algorithm === 'serial') {
    request.remaining.push(...workers);
    beginNext(legs, request);
  } else if (algorithm === 'mirror') {
    // List all workers first: a leg that ends at once must not look like the last one.
    request.remaining.push(...workers);
    for (const worker of workers) {
      request.remaining.shift();
      legs.begin(request, targetOf(team, worker), [worker]);
    }
  } else legs.begin(request, targetOf(team, name), workers);
};

/** A leg has ended. True: the request has ended. */
export const continueRequest = (legs: Legs, request: Request, isLate: boolean): boolean => {
  if (request.service.algorithm === 'serial' && request.remaining.length > 0 && request.cancelled === null && !isLate) {
    beginNext(legs, request);
    return false;
  }
  return request.service.algorithm === 'mirror' ? request.remaining.length === 0 && request.legs.every(isOver) : true;
};

const beginNext = (legs: Legs, request: Request): void => {
  const next = request.remaining.shift();
  if (next !== undefined) legs.begin(request, targetOf(request.service.team, next), [next]);
};

const isOver = ({ state }: Leg): boolean => state.kind === 'over';
