/** Programs that start another one, and how their words are read: none that leaves the other one alone in the background. */

export interface Wrapper {
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
  /** It takes a lock, its operand. A question does not wait for the lock of the run that it is about. */
  readonly isLock?: boolean;
  /** A question that nobody is there to answer for. */
  readonly additions?: readonly string[];
  /** Without one of `unless` it ends before what it has started, so the run gets `word`. */
  readonly waits?: { readonly unless: RegExp; readonly word: string };
  /** The one of `valued` that changes the folder. */
  readonly folder?: readonly string[];
  /** The program sees other files than we do. */
  readonly isElsewhere?: boolean;
}

const never = /$^/;

const wrappers: Readonly<Record<string, Wrapper>> = {
  sudo: {
    flags: /^(-[nHEPAkS]+|--(non-interactive|set-home|preserve-env(=\S*)?|preserve-groups|reset-timestamp|stdin))$/,
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
      '-D',
      '--chdir',
    ],
    folder: ['-D', '--chdir'],
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
    flags: /^(-|-[iv]+|--ignore-environment|--debug|--(default|ignore|block)-signal(=\S*)?)$/,
    valued: ['-u', '--unset', '-C', '--chdir'],
    folder: ['-C', '--chdir'],
    operands: 0,
    takesVariables: true,
  },
  nice: { flags: /^-\d+$/, valued: ['-n', '--adjustment'], operands: 0 },
  ionice: { flags: /^(-t|--ignore)$/, valued: ['-c', '--class', '-n', '--classdata'], operands: 0 },
  chrt: { flags: /^(-[abfiorR]|--(batch|fifo|idle|other|rr|all-tasks|reset-on-fork))$/, valued: [], operands: 1 },
  taskset: { flags: /^(-a|--all-tasks)$/, valued: ['-c', '--cpu-list'], operands: 0 },
  stdbuf: { flags: never, valued: ['-i', '--input', '-o', '--output', '-e', '--error'], operands: 0 },
  // A job leads its process group, so setsid leaves its program alone in the background unless it is told to wait.
  setsid: {
    flags: /^(-[cwf]+|--(ctty|wait|fork))$/,
    valued: [],
    operands: 0,
    waits: { unless: /^(-[cf]*w[cf]*|--wait)$/, word: '--wait' },
  },
  nohup: { flags: never, valued: [], operands: 0 },
  timeout: {
    flags: /^(-[vfp]+|--(verbose|foreground|preserve-status))$/,
    valued: ['-k', '--kill-after', '-s', '--signal'],
    operands: 1,
  },
  flock: {
    flags: /^(-[enosxF]+|--(exclusive|nb|nonblock|close|shared|no-fork|verbose))$/,
    valued: ['-w', '--wait', '--timeout', '-E', '--conflict-exit-code'],
    operands: 1,
    isLock: true,
  },
  'systemd-run': {
    flags:
      /^(-[qGdPtSr]+|--(scope|wait|pipe|pty|quiet|collect|same-dir|system|remain-after-exit|slice-inherit|send-sighup|expand-environment=\w+))$/,
    valued: [
      ...['-u', '--unit', '-p', '--property', '--slice', '--description', '--service-type', '--uid', '--gid'],
      ...['--nice', '-E', '--setenv', '--working-directory'],
    ],
    operands: 0,
    user: ['--uid'],
    defaultUser: '',
    folder: ['--working-directory'],
    waits: { unless: /^(-[a-zA-Z]*[Pt][a-zA-Z]*|--(scope|wait|pipe|pty))$/, word: '--wait' },
    // A question would start a second unit of the same name.
    isElsewhere: true,
  },
  chroot: {
    flags: /^--(groups|skip-chdir)(=\S*)?$/,
    valued: ['--userspec'],
    operands: 1,
    isElsewhere: true,
  },
  time: {
    flags: /^(-[apvq]+|--(append|portability|verbose|quiet))$/,
    valued: ['-f', '--format', '-o', '--output'],
    operands: 0,
  },
  chronic: { flags: /^-[ve]+$/, valued: [], operands: 0 },
  eatmydata: { flags: never, valued: [], operands: 0 },
  prlimit: { flags: /^(-[a-z]+=\S+|--[a-z]+=\S+)$/, valued: [], operands: 0 },
  choom: { flags: never, valued: ['-n', '--adjust'], operands: 0 },
  'systemd-inhibit': { flags: never, valued: ['--what', '--who', '--why', '--mode'], operands: 0 },
};

export const wrapperOf = (program: string): Wrapper | undefined => {
  const name = program.slice(program.lastIndexOf('/') + 1);
  return Object.hasOwn(wrappers, name) ? wrappers[name] : undefined;
};
