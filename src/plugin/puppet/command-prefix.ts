/**
 * What stands before `puppet` in a command line: `sudo -u deploy`, `env`, `nice`, `flock`. We ask Puppet for its settings the same
 * way as its run is started, above all as the same user; words that we do not understand are nobody's to be asked through. Pure.
 */
import type { RunProgram } from '../ports.ts';

export interface Prefix {
  /** Where the program stands that all this starts. */
  readonly length: number;
  /** The words for a question. */
  readonly words: readonly string[];
  /** The wrappers, with the user that each is started as. */
  readonly programs: readonly RunProgram[];
  /** Who the program is started as; null: the daemon's own user. */
  readonly user: string | null;
  /** Where the program is looked for, if `env` has changed that. */
  readonly searchPath: string | null;
}

interface Wrapper {
  /** Options without a value, as regular expression for one word. */
  readonly flags: RegExp;
  /** Options with a value in the next word, or joined with `=`; short ones may have it joined. */
  readonly valued: readonly string[];
  /** Words that are no options and belong to it: a lock file, a duration. */
  readonly operands: number;
  /** The one of `valued` that says whose process it becomes. */
  readonly user?: readonly string[];
  /** Who it is without that option; without both, the option is needed. */
  readonly defaultUser?: string;
  readonly takesVariables?: boolean;
  /** A question does not wait for the lock of the run that it is about. */
  readonly isLeftOut?: boolean;
  /** A question that nobody is there to answer for. */
  readonly additions?: readonly string[];
}

const never = /$^/;

/** No wrapper that changes the folder or the root, or that leaves its program alone in the background. */
const wrappers: Readonly<Record<string, Wrapper>> = {
  sudo: {
    flags: /^(-[nHEPA]+|--(non-interactive|set-home|preserve-env(=\S*)?|preserve-groups))$/,
    valued: [
      '-u',
      '--user',
      '-g',
      '--group',
      '-T',
      '--command-timeout',
      '-p',
      '--prompt',
      '-r',
      '--role',
      '-t',
      '--type',
    ],
    operands: 0,
    user: ['-u', '--user'],
    defaultUser: 'root',
    takesVariables: true,
    additions: ['-n'],
  },
  doas: { flags: /^-n$/, valued: ['-u'], operands: 0, user: ['-u'], defaultUser: 'root', additions: ['-n'] },
  runuser: {
    flags: /^(-[mp]+|--preserve-environment)$/,
    valued: ['-u', '--user', '-g', '--group', '-G', '--supp-group'],
    operands: 0,
    user: ['-u', '--user'],
  },
  setpriv: {
    flags: /^--(clear-groups|init-groups|keep-groups|no-new-privs|nnp|reset-env)$/,
    valued: ['--reuid', '--regid', '--groups', '--inh-caps', '--ambient-caps', '--bounding-set', '--pdeathsig'],
    operands: 0,
    user: ['--reuid'],
    defaultUser: '',
  },
  env: {
    flags: /^(-|-i|--ignore-environment)$/,
    valued: ['-u', '--unset'],
    operands: 0,
    takesVariables: true,
  },
  nice: { flags: /^-\d+$/, valued: ['-n', '--adjustment'], operands: 0 },
  ionice: { flags: /^(-t|--ignore)$/, valued: ['-c', '--class', '-n', '--classdata'], operands: 0 },
  chrt: { flags: /^(-[abfiorR]|--(batch|fifo|idle|other|rr|all-tasks|reset-on-fork))$/, valued: [], operands: 1 },
  taskset: { flags: /^(-a|--all-tasks)$/, valued: ['-c', '--cpu-list'], operands: 0 },
  stdbuf: { flags: never, valued: ['-i', '--input', '-o', '--output', '-e', '--error'], operands: 0 },
  setsid: { flags: /^(-[cw]+|--(ctty|wait))$/, valued: [], operands: 0 },
  nohup: { flags: never, valued: [], operands: 0 },
  timeout: {
    flags: /^(-v|--(verbose|foreground|preserve-status))$/,
    valued: ['-k', '--kill-after', '-s', '--signal'],
    operands: 1,
  },
  flock: {
    flags: /^(-[enosxF]+|--(exclusive|nb|nonblock|close|shared|no-fork|verbose))$/,
    valued: ['-w', '--wait', '--timeout', '-E', '--conflict-exit-code'],
    operands: 1,
    isLeftOut: true,
  },
};

/** Reads from the left, as far as there are wrappers; null for an option that we do not know. */
export const readPrefix = (argv: readonly string[]): Prefix | null => {
  const words: string[] = [];
  const programs: RunProgram[] = [];
  let user: string | null = null;
  let searchPath: string | null = null;
  let at = 0;
  for (;;) {
    const program = argv[at] ?? '';
    const wrapper = wrapperOf(program);
    if (wrapper === undefined) return { length: at, words, programs, user, searchPath };
    const read = readWrapper(wrapper, argv, at + 1);
    if (read === null) return null;
    programs.push({ program, user, searchPath });
    if (wrapper.isLeftOut !== true) words.push(program, ...(wrapper.additions ?? []), ...argv.slice(at + 1, read.end));
    user = read.user ?? user;
    searchPath = read.searchPath ?? searchPath;
    at = read.end;
  }
};

const wrapperOf = (program: string): Wrapper | undefined => {
  const name = program.slice(program.lastIndexOf('/') + 1);
  return Object.hasOwn(wrappers, name) ? wrappers[name] : undefined;
};

interface ReadWrapper {
  readonly end: number;
  readonly user: string | null;
  readonly searchPath: string | null;
}

const readWrapper = (wrapper: Wrapper, argv: readonly string[], begin: number): ReadWrapper | null => {
  let user = wrapper.defaultUser ?? null;
  let at = begin;
  for (; argv[at]?.startsWith('-') && argv[at] !== '--'; at += 1) {
    const word = argv[at] ?? '';
    if (wrapper.flags.test(word)) continue;
    const option = readOption(wrapper, word, argv[at + 1]);
    if (option === null) return null;
    if (wrapper.user?.includes(option.name)) user = option.value;
    at += option.words - 1;
  }
  if (wrapper.user !== undefined && user === null) return null;
  if (argv[at] === '--') at += 1;
  at += wrapper.operands;
  let searchPath: string | null = null;
  for (; wrapper.takesVariables && /^\w+=/.test(argv[at] ?? ''); at += 1)
    if (argv[at]?.startsWith('PATH=')) searchPath = argv[at]?.slice(5) ?? null;
  return { end: at, user: user === '' ? null : user, searchPath };
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
