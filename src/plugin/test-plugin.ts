import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import { plainRequest, type RunningJob } from '../domain/job.ts';
import { tailOf } from '../kit/text-or-bytes.ts';
import type { Conclusion } from '../queue/ports/plugins.ts';
import type { Runner } from '../queue/ports/runner.ts';
import type { Plugin } from './manifest.ts';
import type { PluginCatalogue } from './plugins.ts';

/** How the manifest's `[invocation]` went. */
export interface PluginTest {
  readonly expectedExitCode: number;
  readonly exitCode: number | null;
  readonly output: string;
  /** Bytes of the output, where it is not UTF-8. */
  readonly outputBase64?: string;
  /** Null: as the manifest says. */
  readonly problem: string | null;
}

export interface PluginTestOptions {
  readonly catalogue: PluginCatalogue;
  readonly runner: Pick<Runner, 'run'>;
  /** A new, empty folder for the run's files, and what removes it. */
  newFolder(): Promise<{ readonly path: string; remove(): Promise<void> }>;
  readOutput(folder: string): Promise<Uint8Array>;
  now(): number;
}

/** Runs the manifest's own example, outside any queue, as a job of the command line would run it. */
export const createPluginTest =
  (options: PluginTestOptions) =>
  async (name: string): Promise<PluginTest> => {
    const plugin = options.catalogue.find(name);
    const folder = await options.newFolder();
    try {
      const job = testJob(plugin, folder.path, options.now());
      options.catalogue.check(job.request);
      const runExit = await options.runner.run(folder.path, await options.catalogue.prepare(job));
      if (typeof runExit === 'string') throw new TriggerdError('internal', `the plugin’s runner was ${runExit}`);
      return judge(plugin, await options.catalogue.conclude(job, runExit), await options.readOutput(folder.path));
    } catch (thrown) {
      const { exit_code } = plugin.manifest.invocation;
      return { expectedExitCode: exit_code, exitCode: null, output: '', problem: asTriggerdError(thrown).message };
    } finally {
      await folder.remove();
    }
  };

const judge = (plugin: Plugin, conclusion: Conclusion, bytes: Uint8Array): PluginTest => {
  const { text: output, base64 } = tailOf(bytes);
  const { exit_code: expectedExitCode, output: expectedOutput } = plugin.manifest.invocation;
  const result = conclusion.kind === 'result' ? conclusion.result : undefined;
  const exitCode = result !== undefined && 'exitCode' in result ? result.exitCode : null;
  const found = { expectedExitCode, exitCode, output, ...(base64 === undefined ? {} : { outputBase64: base64 }) };
  if (result === undefined) return { ...found, problem: 'deferred: something is in the way of this plugin right now' };
  if (exitCode === null) return { ...found, problem: 'reason' in result ? result.reason : result.kind };
  if (exitCode !== expectedExitCode)
    return { ...found, problem: `exit code ${exitCode} instead of ${expectedExitCode}` };
  if (!output.includes(expectedOutput)) return { ...found, problem: `the output does not hold “${expectedOutput}”` };
  return { ...found, problem: null };
};

const testJob = (plugin: Plugin, folder: string, now: number): RunningJob => {
  const { argv, args, payload } = plugin.manifest.invocation;
  return {
    id: 0,
    request: { ...plainRequest, plugin: plugin.name, argv, args, payload, timeoutMs: 60_000, source: 'cli' },
    command: plugin.name,
    firings: [],
    attempt: 1,
    folder,
    enqueuedAt: now,
    state: 'running',
    startedAt: now,
  };
};
