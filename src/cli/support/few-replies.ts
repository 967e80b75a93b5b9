import { TriggerdError } from '../../domain/errors.ts';

/** A terminal shows each of so many nodes or workers; of more only those that did not end well. */
const fewReplies = 20;

export interface Showing {
  /** `--all`. */
  readonly all: boolean;
  readonly onTerminal: boolean;
}

/** `count`: nodes or workers in all. */
export const onlyFailures = ({ all, onTerminal }: Showing, count: number): boolean =>
  !all && onTerminal && count > fewReplies;

/** Throws `usage`. */
export const checkShowing = ({
  all,
  filterReplies,
}: {
  readonly all?: unknown;
  readonly filterReplies?: unknown;
}): void => {
  if (all !== undefined && filterReplies !== undefined)
    throw new TriggerdError('usage', '--all and --filter-replies exclude each other');
};
