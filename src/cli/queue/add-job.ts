import { workingFolder } from '../../adapters/system/exact-text.ts';
import type { JobView, NewJobBody } from '../../api/contract/jobs.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { maxWords } from '../../domain/job.ts';
import { askingUser, print, type Session } from '../support/session.ts';
import { waitForJob } from './wait-for-job.ts';

/** What the daemon calls the options; the global ones are none of its business. */
const fields = {
  queue: 'queue',
  plugin: 'plugin',
  arg: 'args',
  env: 'env',
  label: 'label',
  timeout: 'timeout_ms',
  after: 'after',
  ifOk: 'if_ok',
  delay: 'delay_ms',
  key: 'key',
  onKey: 'on_key',
  unlessQueued: 'unless_queued',
  stderr: 'stderr_apart',
  slots: 'slots',
  onFinish: 'on_finish',
  urgent: 'urgent',
  noop: 'noop',
} as const satisfies Record<string, keyof NewJobBody>;

export type AddOptions = { readonly [Option in keyof typeof fields]?: NewJobBody[(typeof fields)[Option]] } & {
  readonly wait?: boolean;
};

/** `trigger queue add`; gives the exit code. Throws `usage`. */
export const addJob = async (session: Session, argv: readonly string[], options: AddOptions): Promise<number> => {
  if (argv.length === 0 && options.plugin === undefined)
    throw new TriggerdError('usage', 'there is nothing to add: name a command, or a plugin with --plugin');
  if (argv.length > maxWords)
    throw new TriggerdError(
      'usage',
      `the command has ${argv.length} words, but at most ${maxWords} are allowed: put it into a script, or use xargs`,
    );
  if (options.onKey !== undefined && options.key === undefined)
    throw new TriggerdError('usage', '--on-key needs --key');
  const body = { ...newJob(argv, options, workingFolder()), user: askingUser(session.env) };
  const job = await session.client.request<JobView>('/v1/jobs', { method: 'POST', body });
  if (options.wait !== true || !session.json) await print(session, job, () => String(job.id));
  return options.wait === true ? waitForJob(session, job.id) : 0;
};

const newJob = (argv: readonly string[], options: AddOptions, cwd: string): NewJobBody => {
  const given = Object.entries(fields).flatMap(([option, field]) => {
    const value = options[option as keyof typeof fields];
    return value === undefined ? [] : [[field, value]];
  });
  return { plugin: 'command', argv, cwd, ...Object.fromEntries(given) };
};
