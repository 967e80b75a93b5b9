import { workingFolder } from '../../adapters/system/exact-text.ts';
import { type JobView, type NewJobBody, outputFromHeader } from '../../api/contract/jobs.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { maxWords } from '../../domain/job.ts';
import { formatDuration } from '../../kit/duration.ts';
import { Interrupted } from '../support/interruption.ts';
import { query } from '../support/options.ts';
import { startProgress } from '../support/progress.ts';
import { askingUser, print, type Session } from '../support/session.ts';
import { outletsOf } from '../support/terminal.ts';
import { throughRestarts, withTimeLimit } from '../support/through-restarts.ts';

/**
 * Waits until a job has ended, also through a restart of the daemon; gives the job's own exit code. With `--json` prints
 * the job. Throws `timed-out` after `timeoutMs`.
 */
export const waitForJob = async (session: Session, id: number, timeoutMs?: number): Promise<number> => {
  const progress = startProgress(session.terminal, (elapsedS) => `waiting for job ${id} · ${elapsedS} s`);
  try {
    const work = (signal: AbortSignal) => throughRestarts(session, untilEnded(session, id, signal), { signal });
    const job = await withTimeLimit(session, timeoutMs, work, () => timedOut(id, timeoutMs ?? 0));
    progress.stop();
    if (session.json) await print(session, job, () => '');
    return job.wait_exit_code ?? 1;
  } catch (error) {
    progress.stop();
    if (error instanceof Interrupted) session.terminal.err(`trigger: job ${id} continues\n`);
    throw error;
  }
};

const untilEnded =
  ({ client }: Session, id: number, signal: AbortSignal) =>
  async (heard: () => void): Promise<JobView> => {
    const now = await client.request<JobView>(`/v1/jobs/${id}`, { signal });
    heard();
    if (now.wait_exit_code !== null) return now;
    return client.request<JobView>(`/v1/jobs/${id}/wait`, { patient: true, signal });
  };

const timedOut = (id: number, timeoutMs: number): TriggerdError =>
  new TriggerdError('timed-out', `job ${id} has not ended after ${formatDuration(timeoutMs)}`, { details: { id } });

export interface OutputChoice {
  /** Begins with so many of the last lines. */
  readonly lines?: number;
  readonly raw?: boolean | undefined;
  /** Of a job that keeps stderr apart: that. */
  readonly stderr?: boolean | undefined;
}

/**
 * Streams a job's output to stdout until the job has ended, also through a restart of the daemon: no byte twice, none
 * left out. Gives the job's own exit code.
 */
export const followOutput = async (
  session: Session,
  id: number,
  { lines, raw, stderr }: OutputChoice,
): Promise<number> => {
  const { client } = session;
  const { out } = outletsOf(session.terminal, { raw });
  let from: number | undefined;
  let ended: number | null = null;
  const follow = throughRestarts(session, async (heard) => {
    const before = await client.request<JobView>(`/v1/jobs/${id}`);
    heard();
    ended = before.wait_exit_code;
    const start = from === undefined ? { lines } : { from };
    const { headers, chunks } = await client.stream(
      `/v1/jobs/${id}/output${query({ follow: 1, ...start, stream: stderr ? 'err' : undefined })}`,
    );
    from = Number(headers[outputFromHeader] ?? 0);
    for await (const chunk of chunks) {
      await out(chunk);
      from += chunk.length;
    }
    return client.request<JobView>(`/v1/jobs/${id}/wait`, { patient: true });
  });
  try {
    return (await follow).wait_exit_code ?? 1;
  } catch (error) {
    // `trigger queue cat 7 | head`: how the job ended is known.
    if (ended !== null && session.interruption.isReaderGone()) return ended;
    throw error;
  }
};

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
