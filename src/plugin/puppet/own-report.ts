/**
 * A place of its own for the report of one `puppet apply`: beside the standard one, where whoever the run is started as can write.
 * Nothing in a report says which process wrote it, and somebody else's `puppet apply` may end meanwhile; the place tells them
 * apart. The daemon moves the report to the standard place when the run has ended. Pure.
 */
import type { Job } from '../../domain/job.ts';

export interface OwnReport {
  readonly path: string;
  /** The path where Puppet would have written it: `lastrunreport`. */
  readonly standard: string;
}

/** The time makes it another one after the journal was lost and the ids begin anew. */
const markOf = ({ id, attempt, enqueuedAt }: Pick<Job, 'id' | 'attempt' | 'enqueuedAt'>): string =>
  `triggerd-${id}.${attempt}-${enqueuedAt.toString(36)}`;

export const ownReportOf = (
  job: Pick<Job, 'id' | 'attempt' | 'enqueuedAt'>,
  standard: string,
): OwnReport | undefined => {
  const at = standard.lastIndexOf('/') + 1;
  // Only Puppet can resolve a relative path.
  if (!standard.startsWith('/') || at === standard.length) return undefined;
  return { path: `${standard.slice(0, at)}.${standard.slice(at)}.${markOf(job)}`, standard };
};

/** Finds what `ownReportOf` has given this very job in the command line that it was started with. */
export const ownReportIn = (
  argv: readonly string[],
  job: Pick<Job, 'id' | 'attempt' | 'enqueuedAt'>,
): OwnReport | undefined => {
  const end = `.${markOf(job)}`;
  const word = argv.find((each) => isOwnReportOption(each) && each.endsWith(end));
  const [, folder = '', name = ''] = /^--lastrunreport=(\/(?:.*\/)?)\.([^/]+)$/.exec(word ?? '') ?? [];
  if (word === undefined || name === '') return undefined;
  const standard = folder + name.slice(0, -end.length);
  return { path: `${folder}.${name}`, standard };
};

/** Whether triggerd has added this word to a command line. */
export const isOwnReportOption = (word: string): boolean =>
  /^--lastrunreport=\/(?:.*\/)?\.[^/]+\.triggerd-\d+\.\d+-[\da-z]+$/.test(word);
