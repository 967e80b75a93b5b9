/**
 * `trigger queue`, column for column what `tsp` prints: widths are those of its format strings
 * (`%-4s %-10s %-20s %-8s %-14s %s`), the order is running, queued, ended.
 */
import type { JobView } from '../../api/contract/jobs.ts';
import type { QueueView } from '../../api/contract/queues.ts';
import { visible } from '../../kit/text.ts';
import { cutEnd, cutStart, padEnd, widthOf } from '../../kit/width.ts';
import { localTime } from './time.ts';

const titles = ['ID', 'State', 'Output', 'E-Level', 'Times(r/u/s)'] as const;
const leastWidths = [4, 10, 20, 8, 14] as const;
/** A command gets at least this, even if a path has to lose its head. */
const leastCommand = 24;
/** A path loses all but this to an id or times that are wider than their columns. */
const leastOutput = 8;
/** As many queued jobs as the daemon lists at most. */
const longQueue = 1000;

export const renderQueue = (
  jobs: readonly JobView[],
  queue: Pick<QueueView, 'running' | 'slots' | 'paused' | 'draining' | 'queued'>,
  columns: number | null,
): string => {
  const rows = inTspOrder(jobs).map((job) => ({ job, output: outputOf(job) }));
  const outputWidth = fitOutput(
    rows.reduce<number>((widest, { output }) => Math.max(widest, widthOf(output)), leastWidths[2]),
    columns,
  );
  const lineOf = ({ job, output }: (typeof rows)[number]): string => {
    const others = [String(job.id), job.state, '', exitLevel(job), times(job)];
    const width = columns === null ? outputWidth : Math.max(leastOutput, outputWidth - overhang(others));
    const head = joinCells(others.with(2, cutStart(output, width)), width);
    const left = columns === null ? null : Math.max(leastCommand / 2, columns - widthOf(head));
    return `${head}${describeCommand(job, left)}`;
  };
  return [
    `${joinCells(titles, outputWidth)}Command [run=${queue.running}/${queue.slots}]${queue.paused ? ' paused' : ''}${queue.draining ? ' draining' : ''}`,
    ...rows.filter(({ job }) => !hasEnded(job)).map(lineOf),
    ...moreQueued(jobs, queue.queued),
    ...rows.filter(({ job }) => hasEnded(job)).map(lineOf),
  ].join('\n');
};

/** Everything before the command, with the space before that. */
const joinCells = (cells: readonly string[], outputWidth: number): string =>
  cells.map((cell, at) => `${padEnd(cell, at === 2 ? outputWidth : (leastWidths[at] ?? 0))} `).join('');

/** By how much cells are wider than their columns, as a long id is: the path gives way. */
const overhang = (cells: readonly string[]): number =>
  cells.reduce((sum, cell, at) => sum + Math.max(0, widthOf(cell) - (leastWidths[at] ?? 0)), 0);

/**
 * The daemon lists the head of a very long queue. A difference of a few is none: the two numbers were asked for one after
 * the other.
 */
const moreQueued = (jobs: readonly JobView[], queued: number): string[] => {
  const listed = jobs.filter(({ state }) => state === 'queued').length;
  return listed < longQueue || queued <= listed ? [] : [`… and ${(queued - listed).toLocaleString('en')} more queued`];
};

const hasEnded = ({ state }: JobView): boolean => state === 'finished' || state === 'skipped';

const stateOrder = { running: 0, queued: 1, finished: 2, skipped: 2 } as const;

/** Stable: within a state the daemon's order stays, oldest first and next first. */
const inTspOrder = (jobs: readonly JobView[]): JobView[] =>
  [...jobs].sort((a, b) => stateOrder[a.state] - stateOrder[b.state]);

const fitOutput = (natural: number, columns: number | null): number => {
  if (columns === null) return natural;
  const others = leastWidths[0] + leastWidths[1] + leastWidths[3] + leastWidths[4] + 5;
  return Math.max(leastWidths[2], Math.min(natural, columns - others - leastCommand));
};

/** As tsp has it: there is no file before the start, and never one of a job that was skipped. */
const outputOf = (job: JobView): string => {
  if (job.state === 'queued') return '(file)';
  return job.state === 'skipped' ? '(no output)' : visible(job.output ?? '(in the journal)');
};

/** What `wait` exits with, so that a killed job shows 143 and not nothing. */
const exitLevel = (job: JobView): string => (job.state === 'finished' ? String(job.wait_exit_code ?? '') : '');

const times = ({ times }: JobView): string =>
  times === null ? '' : `${times.real.toFixed(2)}/${times.user.toFixed(2)}/${times.system.toFixed(2)}`;

/** `[label]command (deferred: …)`; the command is cut before the note is. */
const describeCommand = (job: JobView, width: number | null): string => {
  const label = job.label === null ? '' : `[${visible(job.label)}]`;
  const command = `${label}${visible(job.command)}`;
  const note = noteOf(job);
  if (width === null) return `${command}${note}`;
  const shownNote = widthOf(note) > width / 2 ? cutEnd(note, Math.floor(width / 2)) : note;
  return `${cutEnd(command, width - widthOf(shownNote))}${shownNote}`;
};

const noteOf = (job: JobView): string => {
  const notes = [
    ...(job.deferred ? [`deferred: ${visible(job.reason ?? 'not possible now')}`] : []),
    ...(job.state === 'queued' && job.after !== null ? [`after ${job.after}`] : []),
    ...(job.state === 'queued' && job.if_ok?.length ? [`if ${job.if_ok.join(', ')} succeeds`] : []),
    ...(job.state === 'queued' && job.not_before ? [`not before ${localTime(job.not_before)}`] : []),
    ...(job.state === 'skipped' && job.reason !== null ? [`skipped: ${visible(job.reason)}`] : []),
    ...(job.tells_of ? [`end of ${job.tells_of}`] : []),
    ...(job.noop ? ['noop'] : []),
  ];
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
};
