import { type Context, createContext, Script } from 'node:vm';
import * as v from 'valibot';
import { hasLoneSurrogate } from '../kit/text.ts';

/** `tags` → `TRIGGER_ARG_TAGS`. */
export const argumentVariable = (name: string): string => `TRIGGER_ARG_${name.toUpperCase().replaceAll('-', '_')}`;

const compiles = (text: string): boolean => {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
};

const pattern = v.pipe(
  v.string(),
  v.check((text) => compiles(text), 'Expected a regular expression'),
);

const wholeNumber = v.pipe(v.number(), v.safeInteger('Expected a whole number'));

/** What `[args.NAME]` of a manifest says of one argument. */
export const argumentRule = v.strictObject({
  summary: v.string(),
  required: v.optional(v.boolean(), false),
  /** `integer`: a decimal number without sign `+`, leading zeros or spaces, so that every program reads the same one. */
  kind: v.optional(v.picklist(['text', 'integer']), 'text'),
  min: v.optional(wholeNumber),
  max: v.optional(wholeNumber),
  /** The whole value must match. */
  pattern: v.optional(v.nullable(pattern), null),
  default: v.optional(v.nullable(v.string()), null),
  /** The value that every job gets: the manifest's owner decides, no job can. */
  fixed: v.optional(v.nullable(v.string()), null),
});

export type ArgumentRule = v.InferOutput<typeof argumentRule>;

/** What is wrong with a rule itself: a range without a number, a default that it would refuse. */
export const argumentProblems = (rule: ArgumentRule): string[] => {
  const { kind, min, max, fixed, required } = rule;
  const problems: string[] = [];
  if (kind !== 'integer' && (min !== undefined || max !== undefined))
    problems.push('min and max need kind = "integer"');
  if (min !== undefined && max !== undefined && min > max) problems.push('min is above max');
  if (fixed !== null && (required || rule.default !== null)) problems.push('fixed excludes required and default');
  const own = fixed ?? rule.default;
  if (own !== null) problems.push(...valueProblems(rule, own).map((problem) => `its own value ${problem}`));
  return problems;
};

/** Why the rule refuses this value; empty when it does not. */
export const valueProblems = (rule: ArgumentRule, value: string): string[] => {
  const problems = rule.kind === 'integer' ? rangeProblems(rule, value) : [];
  if (rule.pattern !== null) problems.push(...patternProblems(rule.pattern, value));
  if (value.includes('\0')) problems.push('holds a NUL character');
  if (hasLoneSurrogate(value)) problems.push('holds half of a surrogate pair');
  return problems;
};

const rangeProblems = (
  { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: ArgumentRule,
  value: string,
): string[] => {
  const number = /^(?:0|-?[1-9][0-9]{0,15})$/.test(value) ? Number(value) : Number.NaN;
  return number >= min && number <= max ? [] : [`must be a whole number from ${min} to ${max}`];
};

const patternProblems = (text: string, value: string): string[] => {
  const fits = fitsPattern(text, value);
  if (fits === undefined) return [`could not be compared with ${text} in time`];
  return fits ? [] : [`must match ${text}`];
};

/** A sane pattern needs microseconds; the daemon does nothing else meanwhile. */
const longestMs = 100;

let context: Context | undefined;
let script: Script | undefined;

/** On a busy machine a try may time out before it has begun. */
const maxTries = 20;

/**
 * Whether the whole value matches. Undefined when that can't be found out in time: a careless pattern, `(a+)+` say, takes
 * years for a value of 50 letters, and values come from the wire. The time is that of the processor: a machine that is
 * busy with other things refuses nobody.
 */
const fitsPattern = (pattern: string, value: string): boolean | undefined => {
  const from = process.cpuUsage();
  for (let tries = 0; tries < maxTries; tries++) {
    const fits = tryToFit(pattern, value);
    if (fits !== undefined) return fits;
    const { user, system } = process.cpuUsage(from);
    if (user + system >= longestMs * 1000) return undefined;
  }
  return undefined;
};

/** Undefined when it took too long. V8 ends a regular expression only inside of a script. */
const tryToFit = (pattern: string, value: string): boolean | undefined => {
  context ??= createContext({});
  script ??= new Script('new RegExp(pattern, "u").test(value)');
  Object.assign(context, { pattern: `^(?:${pattern})$`, value });
  try {
    return Boolean(script.runInContext(context, { timeout: longestMs }));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw thrown;
  }
};
