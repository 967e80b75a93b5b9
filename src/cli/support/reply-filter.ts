/** `--filter-replies`: which nodes or workers are shown, by how it ended there. */
import { InvalidArgumentError } from 'commander';
import { TriggerdError } from '../../domain/errors.ts';

type Fields = Readonly<Record<string, unknown>>;
/** Whether it holds for how it ended at one node or worker; the fields of that as `--json` has them. */
export type Condition<Reply = object> = (reply: Reply) => boolean;

/** For help texts and completion: the fields of a reply. `details` has fields of its own, written `details.puppet.changed`. */
export const outcomeFields = [
  'node',
  'stage',
  'result',
  'exit_code',
  'signal',
  'reason',
  'attempt',
  'job_id',
  'queued_at',
  'started_at',
  'finished_at',
  'duration_ms',
  'clock_skew_ms',
  'output_tail',
  'details',
] as const;
export const workerFields = [
  'worker',
  'result',
  'exit_code',
  'signal',
  'reason',
  'code',
  'ran_ms',
  'output_bytes',
] as const;

/** Reads a repeatable `--filter-replies` whose conditions are about these fields. */
export const conditions =
  (fields: readonly string[]) =>
  (text: string, before: readonly Condition[] = []): Condition[] => [...before, conditionOf(text, fields)];

/** Undefined where nothing is filtered. All conditions have to hold. */
export const filterOf = (all: readonly Condition[] | undefined): Condition | undefined =>
  all === undefined ? undefined : (reply) => all.every((holds) => holds(reply));

const form = /^\s*([\w.-]+)\s*(=~|!~|!=|>=|<=|==|=|>|<)\s*(.*?)\s*$/s;

const conditionOf = (text: string, fields: readonly string[]): Condition => {
  const [, path = '', operator = '', value = ''] = form.exec(text) ?? [];
  if (path === '') throw bad('Expected FIELD=VALUE, with =, !=, =~, !~, <, <=, > or >= between them');
  const [field = '', ...below] = path.split('.');
  if (!fields.includes(field)) throw bad(`There is no field ${field}; the fields are ${fields.join(', ')}`);
  if (below.length > 0 && field !== 'details') throw bad(`${field} has no fields; only details has`);
  const holds = testOf(operator, value);
  return (reply) => holds(valueAt(reply, [field, ...below]));
};

const testOf = (operator: string, value: string): ((found: unknown) => boolean) => {
  switch (operator) {
    case '=':
    case '==':
      return (found) => textOf(found) === value;
    case '!=':
      return (found) => textOf(found) !== value;
    case '=~':
    case '!~': {
      const pattern = patternOf(value);
      return (found) => pattern.test(textOf(found)) === (operator === '=~');
    }
    default:
      return comparison(operator, value);
  }
};

const patternOf = (value: string): RegExp => {
  try {
    return new RegExp(value);
  } catch (error) {
    throw bad(`${(error as Error).message.replace(/^Invalid regular expression/, 'Not a regular expression')}`);
  }
};

const comparison = (operator: string, value: string): ((found: unknown) => boolean) => {
  const limit = value === '' ? Number.NaN : Number(value);
  if (Number.isNaN(limit)) throw bad(`${operator} compares numbers, and '${value}' is none`);
  const compare: Readonly<Record<string, (number: number) => boolean>> = {
    '<': (number) => number < limit,
    '<=': (number) => number <= limit,
    '>': (number) => number > limit,
    '>=': (number) => number >= limit,
  };
  return (found) => typeof found === 'number' && compare[operator]?.(found) === true;
};

const valueAt = (reply: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (found, name) =>
      typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? (found as Fields)[name] : undefined,
    reply,
  );

/** What has no value is the empty text: `exit_code!=0` holds where nothing ran. Lists and the like are compared as JSON. */
const textOf = (found: unknown): string => {
  if (found === undefined || found === null) return '';
  return typeof found === 'string' ? found : JSON.stringify(found);
};

const bad = (problem: string): InvalidArgumentError =>
  new InvalidArgumentError(`${problem}. Example: --filter-replies 'exit_code!=0'`);

/** Of a help text. */
export const filterHelp = (replies: string, fields: readonly string[]): string => `
With --filter-replies FIELD=VALUE: shows only ${replies} that match all conditions. The exit code still covers all
${replies}. Operators are =, != (text), =~, !~ (regular expression), <, <=, >, >= (numbers). A field without a value is an
empty text. Fields are those of --json:
${fields.join(', ')}.`;

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
