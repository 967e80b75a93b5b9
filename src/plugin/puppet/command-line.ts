/**
 * What triggerd adds to a Puppet command line, and what it reads from one. Pure.
 *
 * - `--detailed-exitcodes` (implied by `--test`): without it a failed run exits 0.
 * - `--onetime --no-daemonize` for an agent that has neither them nor `--test`: it would go into the background.
 * - `--job-id` for the agent only: `puppet apply` refuses it.
 */
import type { PuppetSettingsQuery, RunProgram } from '../ports.ts';
import { type Prefix, readPrefix } from './command-prefix.ts';

export type PuppetCommand =
  | {
      readonly kind: 'agent' | 'apply';
      readonly argv: readonly string[];
      readonly program: number;
      readonly verb: number;
      /** What stands before the program; null when that has a word that we do not understand. */
      readonly prefix: Prefix | null;
    }
  /** A script of the administrator's own that runs Puppet somehow, or something else altogether. */
  | { readonly kind: 'other'; readonly argv: readonly string[] };

/** Finds `puppet agent` or `puppet apply` in a command line; `env`, `sudo`, `nice` and the like may stand before it. */
export const readPuppetCommand = (argv: readonly string[]): PuppetCommand => {
  const prefix = readPrefix(argv);
  const isUnderstood = prefix !== null && isPuppet(argv[prefix.length] ?? '');
  const program = isUnderstood ? prefix.length : argv.findIndex(isPuppet);
  const verb = argv.findIndex((word, index) => program >= 0 && index > program && !word.startsWith('-'));
  const name = argv[verb];
  if (name !== 'agent' && name !== 'apply') return { kind: 'other', argv };
  return { kind: name, argv, program, verb, prefix: isUnderstood ? prefix : null };
};

const isPuppet = (word: string): boolean => word === 'puppet' || word.endsWith('/puppet');

export interface PuppetRunOptions {
  readonly jobId: string;
  readonly noop: boolean;
  /** Arguments of the plugin: `tags`, `skip_tags`, `environment`. */
  readonly args: Readonly<Record<string, string>>;
}

/** The command line to start. Additions stand right after the verb, so that they hold whatever follows. */
export const completePuppetCommand = (command: PuppetCommand, options: PuppetRunOptions): string[] => {
  if (command.kind === 'other') return [...command.argv];
  const given = command.argv.slice(command.verb + 1);
  const additions = [
    ...exitCodeOptions(given),
    ...(command.kind === 'agent' ? agentOptions(given, options.jobId) : []),
    ...(options.noop && !given.includes('--noop') ? ['--noop'] : []),
    ...argumentOptions(options.args),
  ];
  return [...command.argv.slice(0, command.verb + 1), ...additions, ...given];
};

const isTest = (given: readonly string[]): boolean => given.includes('--test') || given.includes('-t');

const exitCodeOptions = (given: readonly string[]): string[] =>
  isTest(given) || given.some((word) => word.endsWith('detailed-exitcodes')) ? [] : ['--detailed-exitcodes'];

const agentOptions = (given: readonly string[], jobId: string): string[] => {
  const oneRun = isTest(given) || given.includes('--onetime') || given.includes('-o');
  const hasJobId = given.some((word) => word === '--job-id' || word.startsWith('--job-id='));
  return [...(oneRun ? [] : ['--onetime', '--no-daemonize']), ...(hasJobId ? [] : ['--job-id', jobId])];
};

const argumentOptions = (args: Readonly<Record<string, string>>): string[] =>
  ['tags', 'skip_tags', 'environment'].flatMap((name) => {
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
  if (command.kind === 'other' || command.prefix === null) return undefined;
  const given = command.argv.slice(command.program + 1);
  const { words, user, searchPath, programs } = command.prefix;
  const program = command.argv[command.program] ?? 'puppet';
  return {
    command: [...words, program],
    programs: [...programs, { program, user, searchPath }],
    user,
    section: command.kind === 'agent' ? 'agent' : 'user',
    options: settingsThatMoveFiles.flatMap((name) => optionOf(given, name)),
  };
};

/** The programs that a command line starts, as far as its words are understood: wrappers, and what they start. */
export const programsOf = (argv: readonly string[]): readonly RunProgram[] => {
  const prefix = readPrefix(argv);
  const none = { length: 0, programs: [], user: null, searchPath: null };
  const { length, programs, user, searchPath } = prefix ?? none;
  const program = argv[length];
  return program === undefined ? programs : [...programs, { program, user, searchPath }];
};

const optionOf = (given: readonly string[], name: string): string[] => {
  const joined = given.find((word) => word.startsWith(`--${name}=`));
  if (joined !== undefined) return [joined];
  const value = given[given.indexOf(`--${name}`) + 1];
  return given.includes(`--${name}`) && value !== undefined ? [`--${name}=${value}`] : [];
};
