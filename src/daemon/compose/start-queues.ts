import { join, resolve } from 'node:path';
import { createOutputReader } from '../../adapters/files/follow-output.ts';
import type { StateFolder } from '../../adapters/files/state-folder.ts';
import { sharesSandbox } from '../../adapters/process/own-unit.ts';
import { stopLeftovers } from '../../adapters/process/persistent-leftovers.ts';
import { createStartPersistent } from '../../adapters/process/persistent-process.ts';
import { createPersistentRunner } from '../../adapters/process/persistent-runner.ts';
import { createProcessRunner } from '../../adapters/process/process-runner.ts';
import { openSpilledOutput } from '../../adapters/process/spilled-output.ts';
import { createWatchPaths } from '../../adapters/process/watch-paths.ts';
import { openJournal } from '../../adapters/sqlite/open-journal.ts';
import { sourceKey } from '../../config/layers.ts';
import type { Config } from '../../config/schema.ts';
import type { Job } from '../../domain/job.ts';
import { contextDocuments } from '../../firings/inbox/context.ts';
import { createFiringGate } from '../../firings/inbox/firing-gate.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { createPool } from '../../plugin/persistent/pool.ts';
import { createQueues } from '../../queue/create-queues.ts';
import type { PersistentPool } from '../../queue/ports/runner.ts';
import { createRequestProofs } from '../../worker/jobs/request-jobs.ts';
import { clock } from '../clock.ts';
import { buildPlugins } from './plugin-settings.ts';
import type { DaemonOptions, Runtime } from './runtime.ts';

const historyEveryMs = 60_000;
/** A process of a persistent plugin is kept so long without a job. */
const idlePluginMs = 60_000;
/** A lock whose holder was killed changes no file: a deferral is looked at this often anyway. */
const deferralLookMs = 10_000;

/** Journal, runner, plugins and the queues on them. The queues are not started yet. */
export const buildQueues = (
  options: DaemonOptions,
  config: Config,
  state: StateFolder,
  releasers: Releasers,
): Pick<Runtime, 'journal' | 'runner' | 'plugins' | 'queues' | 'proofs' | 'firingGate'> => {
  const { node, installRoot, loaded, log } = options;
  const journal = openJournal({ file: state.journalFile, jobsDir: state.jobsDir });
  releasers.push('journal', () => journal.close());

  if (sharesSandbox())
    log.warn(
      {},
      'Jobs run in the sandbox of this service, because only root can start units for them; see “The sandbox” in docs/how-to/operations.md',
    );
  const runnerMain = join(installRoot, 'dist/programs/runner.js');
  const processes = createProcessRunner({ command: [process.execPath, runnerMain] });
  releasers.push('runner', () => processes.close());
  const pool = buildPool(options, state);
  const runner = createPersistentRunner(processes, pool);

  const contextOf = contextDocuments(node, journal.firings);
  const proofs = createRequestProofs();
  const proofOf = ({ request: { origin } }: Job) => origin && proofs.of(origin);
  const configFile = loaded.file === null ? null : resolve(loaded.file);
  const isSocketGiven = loaded.sources.get(sourceKey(['node', 'socket']))?.from === 'flag';
  const socket = isSocketGiven ? resolve(config.node.socket) : null;
  const stateFolder = join(state.path, 'plugins');
  const plugins = buildPlugins({ node, installRoot, configFile, socket, stateFolder, contextOf, proofOf, log }, config);
  const firingGate = createFiringGate(journal.firings, clock);
  const queues = createQueues({
    queues: Object.entries(config.queues).map(([name, { slots, max_queued: maxQueued }]) => ({
      name,
      slots,
      maxQueued,
    })),
    journal: journal.journal,
    runner,
    plugins,
    gate: firingGate,
    watchPaths: createWatchPaths(deferralLookMs),
    clock,
    log,
    maxAttempts: config.jobs.max_attempts,
    history: {
      keep: config.history.keep,
      maxAgeMs: config.history.max_age,
      idsMs: config.history.ids,
      every: historyEveryMs,
    },
    persistent: { pool, openOutput: openSpilledOutput, reader: createOutputReader() },
  });
  return { journal, runner, plugins, queues, proofs, firingGate };
};

/** Processes of persistent plugins; what a daemon that died has left of them is killed. The queues close it. */
const buildPool = ({ node, log }: DaemonOptions, state: StateFolder): PersistentPool => {
  const folder = join(state.path, 'persistent');
  stopLeftovers(folder).catch((thrown: unknown) =>
    log.error({ error: thrown }, 'Processes of persistent plugins of an earlier daemon may still run'),
  );
  return createPool({ start: createStartPersistent(folder), node, log, idleMs: idlePluginMs, now: () => clock.now() });
};
