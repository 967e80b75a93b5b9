import { join, resolve } from 'node:path';
import type { StateFolder } from '../adapters/files/state-folder.ts';
import { createProcessRunner } from '../adapters/process/process-runner.ts';
import { createWatchPaths } from '../adapters/process/watch-paths.ts';
import { openJournal } from '../adapters/sqlite/open-journal.ts';
import type { Config } from '../config/schema.ts';
import type { Job } from '../domain/job.ts';
import { createQueues } from '../queue/create-queues.ts';
import { reasonToSkip } from '../watch/ended-elsewhere.ts';
import { contextDocument } from './context.ts';
import { createLivePlugins } from './live-plugins.ts';
import { clock, type DaemonOptions, type Parts } from './parts.ts';
import type { Releasers } from './releasers.ts';

const historyEveryMs = 60_000;
/** A lock whose holder was killed changes no file: a deferral is looked at this often anyway. */
const deferralLookMs = 10_000;

/** Journal, runner, plugins and the queues on them. The queues are not started yet. */
export const buildQueues = (
  options: DaemonOptions,
  config: Config,
  state: StateFolder,
  releasers: Releasers,
): Pick<Parts, 'journal' | 'runner' | 'plugins' | 'queues'> => {
  const { node, installRoot, loaded, log } = options;
  const journal = openJournal({ file: state.journalFile, jobsDir: state.jobsDir });
  releasers.push('journal', () => journal.close());

  const runnerMain = join(installRoot, 'dist/adapters/process/runner-main.js');
  const runner = createProcessRunner({ command: [process.execPath, runnerMain] });
  releasers.push('runner', () => runner.close());

  const contextOf = (job: Job) => contextDocument(node, journal.firings, job);
  const configFile = loaded.file === null ? null : resolve(loaded.file);
  const stateFolder = join(state.path, 'plugins');
  const plugins = createLivePlugins({ node, installRoot, configFile, stateFolder, contextOf, log }, config);
  const queues = createQueues({
    queues: Object.entries(config.queues).map(([name, { slots, max_queued: maxQueued }]) => ({
      name,
      slots,
      maxQueued,
    })),
    journal: journal.journal,
    runner,
    plugins,
    watchPaths: createWatchPaths(deferralLookMs),
    clock,
    log,
    maxAttempts: config.jobs.max_attempts,
    reasonToSkip: (job) => reasonToSkip(journal.firings, job, clock.now()),
    history: { keep: config.history.keep, maxAgeMs: config.history.max_age, every: historyEveryMs },
  });
  return { journal, runner, plugins, queues };
};
