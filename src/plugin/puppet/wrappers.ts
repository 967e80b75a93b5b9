/** Programs that start another one, and how their words are read: none that leaves the other one alone in the background. */

export interface Wrapper {
  /** Options without a value, as regular expression for one word. */
  readonly flags: RegExp;
  /** Options with a value in the next word, or joined with `=`; short ones may have it joined. */
  readonly valued: readonly string[];
  /** Words that are no options and belong to it: a lock file, a duration. Default: none. */
  readonly operands?: number;
  /** The one of `valued` that says whose process it becomes. */
  readonly user?: readonly string[];
  /** The user without that option; if missing, the option is required. */
  readonly defaultUser?: string;
  readonly takesVariables?: boolean;
  /** It takes a lock, its operand. Queries leave it out, so as not to wait for the run that they are about. */
  readonly isLock?: boolean;
  /** Options for a query, at which nobody can answer a prompt. */
  readonly additions?: readonly string[];
  /** Without one of `unless` it ends before its child does, so the run gets `word`. */
  readonly waits?: { readonly unless: RegExp; readonly word: string };
  /** The one of `valued` that changes the folder. */
  readonly folder?: readonly string[];
  /** The program sees other files than triggerd does. */
  readonly isElsewhere?: boolean;
}

const never = /$^/;

const wrappers: Readonly<Record<string, Wrapper>> = {
  sudo: {
    flags: /^(-[nHEPAkS]+|--(non-interactive|set-home|preserve-env(=\S*)?|preserve-groups|reset-timestamp|stdin))$/,
    valued: [
      ...['-u', '--user', '-g', '--group', '-T', '--command-timeout', '-p', '--prompt'],
      ...['-r', '--role', '-t', '--type', '-D', '--chdir'],
    ],
    folder: ['-D', '--chdir'],
    user: ['-u', '--user'],
    defaultUser: 'root',
    takesVariables: true,
    additions: ['-n'],
  },
  doas: { flags: /^-n$/, valued: ['-u'], user: ['-u'], defaultUser: 'root', additions: ['-n'] },
  runuser: {
    flags: /^(-[mp]+|--preserve-environment)$/,
    valued: ['-u', '--user', '-g', '--group', '-G', '--supp-group'],
    user: ['-u', '--user'],
  },
  setpriv: {
    flags: /^--(clear-groups|init-groups|keep-groups|no-new-privs|nnp|reset-env)$/,
    valued: ['--reuid', '--regid', '--groups', '--inh-caps', '--ambient-caps', '--bounding-set', '--pdeathsig'],
    user: ['--reuid'],
    defaultUser: '',
  },
  env: {
    flags: /^(-|-[iv]+|--ignore-environment|--debug|--(default|ignore|block)-signal(=\S*)?)$/,
    valued: ['-u', '--unset', '-C', '--chdir'],
    folder: ['-C', '--chdir'],
    takesVariables: true,
  },
  nice: { flags: /^-\d+$/, valued: ['-n', '--adjustment'] },
  ionice: { flags: /^(-t|--ignore)$/, valued: ['-c', '--class', '-n', '--classdata'] },
  chrt: { flags: /^(-[abfiorR]|--(batch|fifo|idle|other|rr|all-tasks|reset-on-fork))$/, valued: [], operands: 1 },
  taskset: { flags: /^(-a|--all-tasks)$/, valued: ['-c', '--cpu-list'] },
  stdbuf: { flags: never, valued: ['-i', '--input', '-o', '--output', '-e', '--error'] },
  // A job leads its process group, so setsid leaves its program alone in the background unless it is told to wait.
  setsid: {
    flags: /^(-[cwf]+|--(ctty|wait|fork))$/,
    valued: [],
    waits: { unless: /^(-[cf]*w[cf]*|--wait)$/, word: '--wait' },
  },
  nohup: { flags: never, valued: [] },
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
  },
  chronic: { flags: /^-[ve]+$/, valued: [] },
  eatmydata: { flags: never, valued: [] },
  prlimit: { flags: /^(-[a-z]+=\S+|--[a-z]+=\S+)$/, valued: [] },
  choom: { flags: never, valued: ['-n', '--adjust'] },
  'systemd-inhibit': { flags: never, valued: ['--what', '--who', '--why', '--mode'] },
};

export const wrapperOf = (program: string): Wrapper | undefined => {
  const name = program.slice(program.lastIndexOf('/') + 1);
  return Object.hasOwn(wrappers, name) ? wrappers[name] : undefined;
};
