/** What tsp prints, to the byte. */
import type { JobView, TspView } from '../../api/contract/jobs.ts';
import { tspLevel } from '../../domain/job.ts';
import { signalNumber } from '../../kit/signals.ts';
import { visible } from '../../kit/text.ts';

export const hasEnded = ({ state }: JobView): boolean => state === 'finished' || state === 'skipped';

export const levelOf = (job: JobView): number => tspLevel(job.exit_code);

export const numberOf = ({ tsp, id }: JobView): number => tsp?.number ?? id;

export const renderTspList = ({ jobs, busy, slots }: TspView): string => {
  const head = cells('ID', 'State', 'Output', 'E-Level', 'Times(r/u/s)'.padEnd(14));
  const lines = [`${head} Command [run=${busy}/${slots}]`, ...jobs.map(lineOf)];
  return lines.map((line) => `${line}\n`).join('');
};

const lineOf = (job: JobView): string => {
  const isFinished = job.state === 'finished';
  const { real, user, system } = job.times ?? { real: 0, user: 0, system: 0 };
  const times = isFinished ? [real, user, system].map((each) => each.toFixed(2)).join('/') : ''.padEnd(14);
  const level = isFinished ? String(levelOf(job)) : '';
  const label = job.label === null ? '' : `[${visible(job.label)}]`;
  const head = cells(String(numberOf(job)), job.state, outputOf(job), level, times);
  return `${head} ${needed(job)}${label}${commandOf(job)}`;
};

const cells = (id: string, state: string, output: string, level: string, times: string): string =>
  [id.padEnd(4), state.padEnd(10), output.padEnd(20), level.padEnd(8), times].join(' ');

const needed = ({ tsp }: JobView): string => {
  if (tsp?.needs == null) return '';
  return tsp.needs < 0 ? '&& ' : `[${tsp.needs}]&& `;
};
const commandOf = (job: JobView): string => visible(job.tsp?.command ?? job.command);

const outputOf = (job: JobView): string => {
  if (job.state === 'skipped') return '(no output)';
  if (job.tsp?.stored === false) return 'stdout';
  return job.state === 'queued' ? '(file)' : visible(job.output ?? '(...)');
};

export const renderTspInfo = (job: JobView, now: number): string => {
  const seconds = (from: string, to: number): string => `${((to - Date.parse(from)) / 1000).toFixed(6)}s`;
  // tsp starts a process of its own also for a command that is not there.
  const startedAt = job.started_at ?? (job.state === 'finished' ? job.finished_at : null);
  const started = startedAt === null ? [] : [`Start time: ${ctime(startedAt)}`];
  const lines = [
    ...(job.state === 'finished' ? [`Exit status: ${endOf(job)}`] : []),
    `Command: ${needed(job)}${commandOf(job)}`,
    `Slots required: ${job.slots ?? 1}`,
    `Enqueue time: ${ctime(job.enqueued_at)}`,
    ...started,
    ...(job.state === 'running' && job.started_at !== null ? [`Time running: ${seconds(job.started_at, now)}`] : []),
    ...(job.state === 'finished' && job.finished_at !== null ? [`End time: ${ctime(job.finished_at)}`] : []),
    ...(job.state === 'finished' ? [`Time run: ${(job.times?.real ?? 0).toFixed(6)}s`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
};

const endOf = (job: JobView): string => {
  if (job.signal !== null) return `killed by signal ${signalNumber(job.signal) ?? job.signal}`;
  return `died with exit code ${levelOf(job)}`;
};

/** As C's `ctime`: `Mon Nov 30 16:54:59 2026`. */
const ctime = (iso: string): string => {
  const at = new Date(iso);
  const [day, month, date] = at.toDateString().split(' ');
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${at.toTimeString().slice(0, 8)} ${at.getFullYear()}`;
};
