/** What rules refuse. */
import { TriggerdError } from '../../domain/errors.ts';

export const notFound = (kind: string, name: string): TriggerdError =>
  new TriggerdError('registry-not-found', `there is no ${kind} “${name}”`);
export const exists = (kind: string, name: string): TriggerdError =>
  new TriggerdError('registry-exists', `a ${kind} “${name}” exists already`);
export const denied = (why: string): TriggerdError => new TriggerdError('registry-denied', why);
export const inUse = (why: string): TriggerdError => new TriggerdError('registry-in-use', why);
export const invalid = (why: string): TriggerdError => new TriggerdError('registry-invalid', why);
