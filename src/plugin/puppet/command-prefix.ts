/**
 * What stands before `puppet` in a command line: `sudo -u deploy`, `env`, `nice`, `flock`. We ask Puppet for its settings the same
 * way as its run is started, above all as the same user; words that we do not understand are nobody's to be asked through. Pure.
 */
import type { RunProgram } from '../ports.ts';
import { type Wrapper, wrapperOf } from './wrappers.ts';

export interface Prefix {
  /** Index of the program that the wrappers start. */
  readonly length: number;
  /** The words for a query. */
  readonly words: readonly string[];
  /** The wrappers, with the user that each is started as. */
  readonly programs: readonly RunProgram[];
  /** The user that the program runs as; null: the daemon's. */
  readonly user: string | null;
  /** `PATH` of the program, if `env` changes it. */
  readonly searchPath: string | null;
  /** The words that start the run: as given, and what makes a wrapper wait for the end of what it starts. */
  readonly runWords: readonly string[];
  /** The folder that the program is started in, where a wrapper changes it; null: that of the job. */
  readonly folder: string | null;
  /** A lock that it does not wait for, or not for ever. */
  readonly lock: HeldLock | null;
  /** Whether Puppet may be asked through it: not where its paths mean other files there. */
  readonly isAskable: boolean;
}

export interface HeldLock {
  readonly path: string;
  /** How `flock` ends when another process holds the lock. */
  readonly exitCode: number;
}

/** `flock` would end with 1, as a failed run does; Puppet itself never ends with this (EX_TEMPFAIL). */
const lockedExitCode = 75;

/** Reads from the left, as far as there are wrappers; null for an option that we do not know. */
export const readPrefix = (argv: readonly string[]): Prefix | null => {
  const words: string[] = [];
  const runWords: string[] = [];
  const programs: RunProgram[] = [];
  const found = { user: null as string | null, searchPath: null as string | null, folder: null as string | null };
  let lock: HeldLock | null = null;
  let isAskable = true;
  let at = 0;
  for (;;) {
    const program = argv[at] ?? '';
    const wrapper = wrapperOf(program);
    const { user, searchPath } = found;
    if (wrapper === undefined) return { length: at, words, runWords, programs, lock, isAskable, ...found };
    const read = readWrapper(wrapper, argv, at + 1);
    if (read === null) return null;
    const given = argv.slice(at + 1, read.end);
    programs.push({ program, user, searchPath });
    if (wrapper.isLock !== true) words.push(program, ...(wrapper.additions ?? []), ...given);
    const taken = wrapper.isLock === true ? lockOf(read.options, argv[read.end - 1] ?? '') : null;
    lock = taken ?? lock;
    const codeWords = taken?.exitCode === lockedExitCode ? ['-E', String(lockedExitCode)] : [];
    runWords.push(program, ...codeWords, ...waitWords(wrapper, read.options), ...given);
    found.user = read.user ?? user;
    found.searchPath = read.searchPath ?? searchPath;
    found.folder = read.folder ?? found.folder;
    isAskable &&= wrapper.isElsewhere !== true;
    at = read.end;
  }
};

/** Null for one that waits as long as it takes, and for one whose exit code may be Puppet's. */
const lockOf = (options: readonly string[], path: string): HeldLock | null => {
  if (!options.some((word) => /^(-[a-zA-Z]*[nw]|--(nb|nonblock|wait|timeout)\b)/.test(word))) return null;
  const at = options.findLastIndex((word) => /^(-E|--conflict-exit-code\b)/.test(word));
  const given = /^(?:-E|--conflict-exit-code=)(\d+)$/.exec(options[at] ?? '')?.[1] ?? options[at + 1];
  const exitCode = at === -1 ? lockedExitCode : Number(given);
  return exitCode > 6 ? { path, exitCode } : null;
};

const waitWords = ({ waits }: Wrapper, options: readonly string[]): string[] =>
  waits === undefined || options.some((word) => waits.unless.test(word)) ? [] : [waits.word];

interface ReadWrapper extends Pick<Prefix, 'user' | 'searchPath' | 'folder'> {
  readonly end: number;
  readonly options: readonly string[];
}

const readWrapper = (wrapper: Wrapper, argv: readonly string[], begin: number): ReadWrapper | null => {
  let user = wrapper.defaultUser ?? null;
  let folder: string | null = null;
  let at = begin;
  for (; argv[at]?.startsWith('-') && argv[at] !== '--'; at += 1) {
    const word = argv[at] ?? '';
    if (wrapper.flags.test(word)) continue;
    const option = readOption(wrapper, word, argv[at + 1]);
    if (option === null) return null;
    if (wrapper.user?.includes(option.name)) user = option.value;
    if (wrapper.folder?.includes(option.name)) folder = option.value;
    at += option.words - 1;
  }
  const options = argv.slice(begin, at);
  if (wrapper.user !== undefined && user === null) return null;
  if (argv[at] === '--') at += 1;
  at += wrapper.operands ?? 0;
  let searchPath: string | null = null;
  for (; wrapper.takesVariables && /^\w+=/.test(argv[at] ?? ''); at += 1)
    if (argv[at]?.startsWith('PATH=')) searchPath = argv[at]?.slice(5) ?? null;
  return { end: at, user: user === '' ? null : user, searchPath, folder, options };
};

/** `-u x`, `-ux`, `--user x`, `--user=x`; also `-nu x`, where all letters but the last are flags. */
const readOption = (wrapper: Wrapper, word: string, next: string | undefined) => {
  if (wrapper.valued.includes(word)) return next === undefined ? null : { name: word, value: next, words: 2 };
  const [long = '', ...rest] = word.split('=');
  if (word.startsWith('--'))
    return rest.length > 0 && wrapper.valued.includes(long) ? { name: long, value: rest.join('='), words: 1 } : null;
  const [short, joined] = [word.slice(0, 2), word.slice(2)];
  if (wrapper.valued.includes(short)) return { name: short, value: joined, words: 1 };
  const [letters, last] = [word.slice(0, -1), `-${word.slice(-1)}`];
  const isCluster = wrapper.flags.test(letters) && wrapper.valued.includes(last);
  return isCluster && next !== undefined ? { name: last, value: next, words: 2 } : null;
};
