import type { JobRequest } from '../../src/domain/job.ts';

/** A job request with every field; tests name only what they are about. */
export const jobRequest = (fields: Partial<JobRequest> = {}): JobRequest => ({
  queue: 'default',
  plugin: 'command',
  argv: [],
  args: {},
  env: {},
  cwd: null,
  payload: null,
  noop: false,
  label: null,
  timeoutMs: null,
  after: null,
  urgent: false,
  source: 'cli',
  ...fields,
});
