import { stat } from 'node:fs/promises';
import { execa } from 'execa';
import { TriggerdError } from '../../domain/errors.ts';
import type {
  FileState,
  ProcessFacts,
  PuppetHost,
  PuppetSettings,
  PuppetSettingsQuery,
  RunProgram,
} from '../../plugin/ports.ts';
import { whyUntrusted } from '../files/trusted-way.ts';
import { readUntrustedLines, readUntrustedText } from '../files/untrusted-file.ts';
import { askProgram } from '../process/ask-program.ts';
import { moveReport } from './move-report.ts';

interface PuppetHostOptions {
  /** The environment that jobs get, so that Puppet answers for them as it would behave in them. */
  readonly env: Readonly<Record<string, string>>;
  /** Told once, until something else is the matter. */
  readonly onProblem: (problem: TriggerdError) => void;
}

const settingNames = [
  'lastrunfile',
  'lastrunreport',
  'agent_catalog_run_lockfile',
  'agent_disabled_lockfile',
  'ssl_lockfile',
  'environment',
  'config',
  'node_name_value',
  'tags',
  'skip_tags',
];

/** A lock has a number or a sentence in it, a summary some numbers; the report of a catalogue of 50,000 resources has 75 MB. */
const maxBytes = { lock: 65_536, summary: 262_144, report: 128 * 1_048_576 };

/** Asking takes Ruby about a second, so answers are kept until puppet.conf changes, five minutes at most. */
const answerLifeMs = 300_000;

interface Answer {
  readonly settings: PuppetSettings;
  readonly configFile: string;
  readonly configMtimeMs: number;
  readonly askedAt: number;
}

/** `PuppetHost` on this machine. */
export const createPuppetHost = (options: PuppetHostOptions): PuppetHost => {
  const answers = new Map<string, Answer>();
  const tell = createTeller(options);
  const refusal = ({ programs }: Pick<PuppetSettingsQuery, 'programs'>): Promise<string | null> =>
    whyProgramsUntrusted(programs, options.env);

  const settings = async (query: PuppetSettingsQuery): Promise<PuppetSettings | undefined> => {
    const key = JSON.stringify(query);
    const known = answers.get(key);
    if (known !== undefined && (await isFresh(known))) return known.settings;
    answers.delete(key);
    const command = query.command.join(' ');
    const why = await refusal(query);
    const answer =
      why === null ? await ask(query, options) : new TriggerdError('puppet-unsafe', `“${command}”: ${why}`);
    tell(command, answer instanceof TriggerdError ? answer : null);
    if (answer instanceof TriggerdError) return undefined;
    answers.set(key, answer);
    return answer.settings;
  };
  /** A file that is not what it should be is told; that it is not there, or not for us, is everyday life. */
  const told = <State extends FileState>(path: string, state: State): State => {
    const problem = state.kind === 'refused' ? new TriggerdError('puppet-file-unsafe', `${path}: ${state.why}`) : null;
    tell(path, problem);
    return state;
  };

  return {
    settings,
    refusal,
    readLock: async (path) => told(path, await readUntrustedText(path, { owners: null, maxBytes: maxBytes.lock })),
    readSummary: async (path, owners) =>
      told(path, await readUntrustedText(path, { owners, maxBytes: maxBytes.summary })),
    readReport: async (path, owners, onLine) =>
      told(path, await readUntrustedLines(path, { owners, maxBytes: maxBytes.report }, onLine)),
    moveReport: async (from, to) => {
      const problem = await moveReport(from, to).then(
        () => null,
        (thrown: unknown) => notPlaced(to, thrown),
      );
      if (problem !== null) tell(to, problem);
    },
    process: processFacts,
  };
};

/** Tells a problem of a thing once, and again after it was well. */
const createTeller = ({ onProblem }: PuppetHostOptions) => {
  const told = new Map<string, string>();
  return (thing: string, problem: TriggerdError | null): void => {
    if (problem === null) told.delete(thing);
    else if (told.get(thing) !== problem.message) {
      told.set(thing, problem.message);
      onProblem(problem);
    }
  };
};

const notPlaced = (to: string, thrown: unknown): TriggerdError => {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new TriggerdError('puppet-file-unsafe', `the report of a run does not replace ${to}: ${why}`);
};

const isFresh = async (answer: Answer): Promise<boolean> =>
  Date.now() - answer.askedAt < answerLifeMs && (await mtimeOf(answer.configFile)) === answer.configMtimeMs;

const ask = async (query: PuppetSettingsQuery, options: PuppetHostOptions): Promise<Answer | TriggerdError> => {
  const [program = '', ...words] = query.command;
  const args = [...words, 'config', 'print', '--section', query.section, ...query.options, ...settingNames];
  const asked = await askProgram([program, ...args], { env: options.env, timeoutMs: 60_000 });
  const values = new Map(asked.stdout?.split('\n').map((line) => splitSetting(line)));
  const [lastRunFile, lastRunReport, runLockFile, disabledLockFile, sslLockFile, environment, configFile, reportHost] =
    settingNames.map((name) => values.get(name));
  if (
    !lastRunFile ||
    !lastRunReport ||
    !runLockFile ||
    !disabledLockFile ||
    !sslLockFile ||
    !environment ||
    !configFile ||
    !reportHost
  ) {
    const why = asked.shortMessage ?? `exit ${asked.exitCode}`;
    return new TriggerdError('puppet-silent', `“${query.command.join(' ')} config print” (${why})`);
  }
  const owners = [...new Set([0, process.getuid?.() ?? 0, ...(await uidsOf(query.user, options.env))])];
  const found = {
    lastRunFile,
    lastRunReport,
    runLockFile,
    disabledLockFile,
    sslLockFile,
    environment,
    reportHost,
    tags: values.get('tags') ?? '',
    skipTags: values.get('skip_tags') ?? '',
    owners,
  };
  return { settings: found, configFile, configMtimeMs: await mtimeOf(configFile), askedAt: Date.now() };
};

const uidsOf = async (user: string | null, env: Readonly<Record<string, string>>): Promise<number[]> => {
  const uid = user === null ? undefined : await uidOf(user, env);
  return uid === undefined ? [] : [uid];
};

/** `name = value`, as `puppet config print` writes several settings. */
const splitSetting = (line: string): [string, string] => {
  const at = line.indexOf(' = ');
  return [line.slice(0, at), line.slice(at + 3)];
};

const mtimeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;

/** Read as the files are: a process can have its command line in memory that never answers. */
const processFacts = async (pid: number): Promise<ProcessFacts | undefined> => {
  const limits = { owners: null, maxBytes: 4 * 1_048_576 };
  const [status, commandLine] = await Promise.all([
    readUntrustedText(`/proc/${pid}/status`, limits),
    readUntrustedText(`/proc/${pid}/cmdline`, limits),
  ]);
  if (status.kind !== 'read' || commandLine.kind !== 'read') return undefined;
  // It has ended, and only waits for its parent to notice.
  if (/^State:\s*[ZX]/m.test(status.text)) return undefined;
  const name = /^Name:\t(.*)$/m.exec(status.text)?.[1] ?? '';
  return { name, argv: commandLine.text.split('\0').filter((word) => word !== '') };
};

/** Number of a user, as `sudo -u` takes it: a name, a number, `#` and a number. Undefined: there is none. Asks `id`: names may come from LDAP. */
const uidOf = async (user: string, env: Readonly<Record<string, string>>): Promise<number | undefined> => {
  if (/^#?\d+$/.test(user)) return Number(user.replace('#', ''));
  const asked = await execa('id', ['-u', '--', user], { env, extendEnv: false, reject: false, timeout: 10_000 });
  return !asked.failed && /^\d+$/.test(asked.stdout) ? Number(asked.stdout) : undefined;
};

/**
 * Why one of these must not be run by us: as root (or as the daemon's user) a program would run that others can change. Programs
 * that run as another user are that user's affair. Null: nothing is wrong.
 */
const whyProgramsUntrusted = async (
  programs: readonly RunProgram[],
  env: Readonly<Record<string, string>>,
): Promise<string | null> => {
  for (const { program, user, searchPath } of programs) {
    if (!(await isOurs(user, env))) continue;
    const why = await whyUntrusted({ program, searchPath: searchPath ?? env['PATH'] ?? '' });
    if (why !== null) return why;
  }
  return null;
};

const isOurs = async (user: string | null, env: Readonly<Record<string, string>>): Promise<boolean> => {
  if (user === null) return true;
  const uid = await uidOf(user, env);
  return uid === 0 || uid === process.getuid?.();
};
