import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { PuppetHost, PuppetSettings, PuppetSettingsQuery } from '../../plugin/ports.ts';
import { askProgram } from '../process/ask-program.ts';
import { isMissing } from '../system/is-missing.ts';

export interface PuppetHostOptions {
  /** The environment that jobs get, so that Puppet answers for them as it would behave in them. */
  readonly env: Readonly<Record<string, string>>;
  readonly onProblem: (message: string) => void;
}

const settingNames = [
  'lastrunfile',
  'lastrunreport',
  'agent_catalog_run_lockfile',
  'agent_disabled_lockfile',
  'ssl_lockfile',
  'environment',
  'config',
];

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

  const settings = async (query: PuppetSettingsQuery): Promise<PuppetSettings | undefined> => {
    const key = JSON.stringify(query);
    const known = answers.get(key);
    if (known !== undefined && (await isFresh(known))) return known.settings;
    const answer = await ask(query, options);
    if (answer === undefined) answers.delete(key);
    else answers.set(key, answer);
    return answer?.settings;
  };

  return { settings, readFile: readIfThere, readLines, commandLine };
};

const isFresh = async (answer: Answer): Promise<boolean> =>
  Date.now() - answer.askedAt < answerLifeMs && (await mtimeOf(answer.configFile)) === answer.configMtimeMs;

const ask = async (query: PuppetSettingsQuery, options: PuppetHostOptions): Promise<Answer | undefined> => {
  const args = ['config', 'print', '--section', query.section, ...query.options, ...settingNames];
  const asked = await askProgram([query.program, ...args], { env: options.env, timeoutMs: 60_000 });
  const values = new Map(asked.stdout?.split('\n').map((line) => splitSetting(line)));
  const [lastRunFile, lastRunReport, runLockFile, disabledLockFile, sslLockFile, environment, configFile] =
    settingNames.map((name) => values.get(name));
  if (
    !lastRunFile ||
    !lastRunReport ||
    !runLockFile ||
    !disabledLockFile ||
    !sslLockFile ||
    !environment ||
    !configFile
  ) {
    options.onProblem(
      `“${query.program} config print” did not say where Puppet keeps its locks and reports (${asked.shortMessage ?? `exit ${asked.exitCode}`})`,
    );
    return undefined;
  }
  const found = { lastRunFile, lastRunReport, runLockFile, disabledLockFile, sslLockFile, environment };
  return { settings: found, configFile, configMtimeMs: await mtimeOf(configFile), askedAt: Date.now() };
};

/** `name = value`, as `puppet config print` writes several settings. */
const splitSetting = (line: string): [string, string] => {
  const at = line.indexOf(' = ');
  return [line.slice(0, at), line.slice(at + 3)];
};

const mtimeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
};

async function* readLines(path: string): AsyncGenerator<string> {
  if ((await stat(path).catch(() => undefined)) === undefined) return;
  yield* createInterface({ input: createReadStream(path, 'utf8') });
}

const commandLine = async (pid: number): Promise<readonly string[] | undefined> =>
  (await readIfThere(`/proc/${pid}/cmdline`))?.split('\0').filter((word) => word !== '');
