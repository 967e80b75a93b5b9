import { createHash } from 'node:crypto';
import type { JobRequest } from '../domain/job.ts';

/**
 * Firings whose jobs would do exactly the same share one queued job: everything that reaches the process counts, what is
 * only for people (the label) does not. Null for sources whose every request is a job of its own.
 */
export const coalescingKeyOf = (request: JobRequest): string | null => {
  if (request.source !== 'firing') return null;
  return createHash('sha256')
    .update(JSON.stringify(identityOf(request)))
    .digest('hex');
};

/** All that makes two jobs do the same. */
export const identityOf = (request: JobRequest): readonly unknown[] => {
  const { queue, plugin, argv, args, env, noop, cwd, payload, timeoutMs, runCommand } = request;
  const command = runCommand === undefined ? [] : [runCommand];
  return [queue, plugin, argv, sorted(args), sorted(env), noop, cwd, payload, timeoutMs, ...command];
};

const sorted = (record: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
