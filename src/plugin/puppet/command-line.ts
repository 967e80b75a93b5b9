/**
 * What triggerd adds to a Puppet command line, and what it reads from one. Pure.
 *
 * - `--detailed-exitcodes` (implied by `--test`): without it a failed run exits 0.
 * - `--color=false`: escape sequences would take a good part of the output that an outcome keeps.
 * - `--onetime --no-daemonize` for an agent that has neither them nor `--test`: it would go into the background.
 * - `--job-id` for the agent only: `puppet apply` refuses it, and gets a place of its own for its report.
 */
import { commandText } from '../command-text.ts';
import type { PuppetSettingsQuery, RunProgram } from '../ports.ts';
import { type Prefix, readPrefix } from './command-prefix.ts';
import { isOwnReportOption, type OwnReport } from './own-report.ts';
import { isPuppetInShell, shellTextIn, simpleCommands, withoutSplitString } from './shell-command.ts';

export type SeenCommand = {
  readonly kind: 'agent' | 'apply';
  readonly argv: readonly string[];
  readonly program: number;
  readonly verb: number;
  /** What stands before the program; null when that has a word that we do not understand. */
  readonly prefix: Prefix | null;
};

export type PuppetCommand =
  | SeenCommand
  /**
   * A script of the administrator's own that runs Puppet somehow, or something else altogether. `inner`: what a shell is
   * told to run, as far as its text can be read; nothing can be added there.
   */
  | { readonly kind: 'other'; readonly argv: readonly string[]; readonly inner?: SeenCommand };

/** Finds `puppet agent` or `puppet apply` in a command line; `env`, `sudo`, `nice` and the like may stand before it. */
export const readPuppetCommand = (given: readonly string[]): PuppetCommand => {
  const argv = withoutSplitString(given);
  const prefix = readPrefix(argv);
  if (prefix !== null) {
    const seen = seenAt(argv, prefix.length, prefix);
    if (seen !== undefined) return seen;
    const inner = innerOf(argv, prefix);
    if (inner !== undefined) return { kind: 'other', argv, inner };
  }
  for (let at = 0; at < argv.length; at += 1) {
    const seen = seenAt(argv, at, null);
    if (seen !== undefined) return seen;
  }
  return { kind: 'other', argv };
};

/**
 * What is not seen of the runs that a command line starts, in words for the administrator, with a remedy; null: nothing. Where
 * nothing of Puppet is in it, it is a program of their own.
 */
export const unobservedRuns = (argv: readonly string[]): { readonly what: string; readonly remedy: string } | null => {
  const command = readPuppetCommand(argv);
  const start = 'start Puppet itself, through sudo, env, nice, flock and the like where needed';
  if (command.kind === 'other')
    return isPuppetInShell(argv)
      ? {
          what: 'run_cmd starts Puppet in a shell, so triggerd cannot ask Puppet for its exit codes',
          remedy: `The run's report decides where there is one. Better: ${start}; or give Puppet --detailed-exitcodes in there.`,
        }
      : null;
  if (command.prefix?.isAskable === true) return null;
  const before = commandText(command.argv.slice(0, command.program));
  return {
    what: `run_cmd starts Puppet through “${before}”, so its locks and reports are not looked at`,
    remedy: `Better: ${start}.`,
  };
};

const isPuppet = (word: string): boolean => word === 'puppet' || word.endsWith('/puppet');

const seenAt = (argv: readonly string[], program: number, prefix: Prefix | null): SeenCommand | undefined => {
  if (!isPuppet(argv[program] ?? '')) return undefined;
  const verb = argv.findIndex((word, index) => index > program && !word.startsWith('-'));
  const name = argv[verb];
  return name === 'agent' || name === 'apply' ? { kind: name, argv, program, verb, prefix } : undefined;
};

/** The Puppet command in the text of `sh -c`, with the wrappers around both. */
const innerOf = (argv: readonly string[], prefix: Prefix): SeenCommand | undefined => {
  const [program = ''] = argv.slice(prefix.length);
  // `su` runs Puppet as another user, as whom Puppet would have to be queried.
  const text = program.endsWith('su') ? undefined : shellTextIn(argv.slice(prefix.length));
  for (const words of (text === undefined ? null : simpleCommands(text)) ?? []) {
    const command = words[0] === 'exec' ? words.slice(1) : words;
    const whole = [...argv.slice(0, prefix.length), ...command];
    const outer = readPrefix(whole);
    const seen = outer === null ? undefined : seenAt(whole, outer.length, outer);
    if (seen !== undefined) return seen;
  }
  return undefined;
};

export interface PuppetRunOptions {
  readonly jobId: string;
  readonly noop: boolean;
  /** Arguments of the plugin: `tags`, `skip_tags`, `environment`. */
  readonly args: Readonly<Record<string, string>>;
  /** Where `puppet apply` writes its report; missing: to its standard path. */
  readonly ownReport?: OwnReport | undefined;
}

/** The command line to start. Additions stand right after the verb, so that they hold whatever follows. */
export const completePuppetCommand = (command: PuppetCommand, options: PuppetRunOptions): string[] => {
  if (command.kind === 'other') return [...command.argv];
  const { argv, program, verb, prefix } = command;
  const given = withoutOptions(argv.slice(verb + 1), options);
  const additions = [
    ...exitCodeOptions(given),
    ...(given.some((word) => /^--(no-)?color(=|$)/.test(word)) ? [] : ['--color=false']),
    ...(command.kind === 'agent' ? agentOptions(given, options.jobId) : []),
    ...(options.noop ? ['--noop'] : []),
    ...argumentOptions(options.args),
  ];
  const before = [...(prefix?.runWords ?? argv.slice(0, program)), ...argv.slice(program, verb + 1)];
  return [...before, ...additions, ...withOwnReport(given, options.ownReport)];
};

/** Puppet uses the last of several values, so `--no-noop` in `run_cmd` would make a noop job a real run. */
const withoutOptions = (given: readonly string[], { noop, args }: PuppetRunOptions): string[] => {
  const names = argumentNames.filter((name) => args[name] !== undefined);
  return given.filter((word, at) => {
    if (noop && /^--(no-)?noop(=|$)/.test(word)) return false;
    return !names.some(
      (name) => word === `--${name}` || word.startsWith(`--${name}=`) || given[at - 1] === `--${name}`,
    );
  });
};

const argumentNames = ['tags', 'skip_tags', 'environment'];

/** Puppet uses the last of several paths, so ours follows a given one. */
const withOwnReport = (given: readonly string[], report: OwnReport | undefined): string[] => {
  if (report === undefined) return [...given];
  const joined = given.findLastIndex((word) => word.startsWith('--lastrunreport='));
  const apart = given.lastIndexOf('--lastrunreport');
  const end = Math.max(joined, apart === -1 ? -1 : apart + 1) + 1;
  return [...given.slice(0, end), `--lastrunreport=${report.path}`, ...given.slice(end)];
};

/** Whether triggerd may have added this word: it changes nothing of what a run does. */
export const isAddition = (word: string): boolean =>
  word === '--detailed-exitcodes' || word === '--color=false' || isOwnReportOption(word);

/** The id that an agent is given: ours, or one of the administrator's. */
export const jobIdIn = (command: SeenCommand): string | undefined =>
  optionValue(command.argv.slice(command.verb + 1), 'job-id');

const isTest = (given: readonly string[]): boolean => given.includes('--test') || given.includes('-t');

const exitCodeOptions = (given: readonly string[]): string[] =>
  isTest(given) || given.some((word) => word.endsWith('detailed-exitcodes')) ? [] : ['--detailed-exitcodes'];

const agentOptions = (given: readonly string[], jobId: string): string[] => {
  const oneRun = isTest(given) || given.includes('--onetime') || given.includes('-o');
  const hasJobId = given.some((word) => word === '--job-id' || word.startsWith('--job-id='));
  return [...(oneRun ? [] : ['--onetime', '--no-daemonize']), ...(hasJobId ? [] : ['--job-id', jobId])];
};

const argumentOptions = (args: Readonly<Record<string, string>>): string[] =>
  argumentNames.flatMap((name) => {
    const value = args[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  });

const settingsThatMoveFiles = [
  'config',
  'confdir',
  'codedir',
  'vardir',
  'statedir',
  'publicdir',
  'rundir',
  'logdir',
  'certname',
  'lastrunfile',
  'lastrunreport',
  'agent_catalog_run_lockfile',
  'agent_disabled_lockfile',
  'ssldir',
  'ssl_lockfile',
];

/**
 * How to ask this command's Puppet for its paths: through the same words, so as the same user. Undefined for a command that is
 * not Puppet, and for one that starts Puppet through something that we do not understand: that may be another machine.
 */
export const settingsQuery = (command: PuppetCommand): PuppetSettingsQuery | undefined => {
  const seen = command.kind === 'other' ? command.inner : command;
  if (seen === undefined || seen.prefix === null || !seen.prefix.isAskable) return undefined;
  const given = seen.argv.slice(seen.program + 1).filter((word) => !isOwnReportOption(word));
  const { words, user, searchPath, programs } = seen.prefix;
  const program = seen.argv[seen.program] ?? 'puppet';
  // triggerd cannot tell whose program that is.
  if (seen.prefix.folder !== null && program.includes('/') && !program.startsWith('/')) return undefined;
  return {
    command: [...words, program],
    programs: [...programs, { program, user, searchPath }],
    user,
    section: seen.kind === 'agent' ? 'agent' : 'user',
    options: settingsThatMoveFiles.flatMap((name) => optionOf(given, name)),
  };
};

/** The tags that a command line names itself; undefined: those of puppet.conf hold. */
export const tagsIn = (command: SeenCommand, name: 'tags' | 'skip_tags'): string | undefined =>
  optionValue(command.argv.slice(command.verb + 1), name);

/** The programs that a command line starts, as far as its words are understood: wrappers, and what they start. */
export const programsOf = (argv: readonly string[]): readonly RunProgram[] => {
  const prefix = readPrefix(argv);
  const none = { length: 0, programs: [], user: null, searchPath: null };
  const { length, programs, user, searchPath } = prefix ?? none;
  const program = argv[length];
  return program === undefined ? programs : [...programs, { program, user, searchPath }];
};

const optionOf = (given: readonly string[], name: string): string[] => {
  const value = optionValue(given, name);
  return value === undefined ? [] : [`--${name}=${value}`];
};

/** Puppet uses the last of several values. */
const optionValue = (given: readonly string[], name: string): string | undefined => {
  const at = given.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  return given[at] === `--${name}` ? given[at + 1] : given[at]?.slice(name.length + 3);
};
