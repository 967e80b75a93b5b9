/** The trigger files on their own, without a daemon: what `triggerfs` and `trigger mount` run. */
import { prepareStateFolder, type StateFolder } from '../../adapters/files/state-folder.ts';
import { type OpenJournal, openJournal } from '../../adapters/sqlite/open-journal.ts';
import { connectOptionsOf } from '../../client/main-section.ts';
import { newRequestId } from '../../client/new-id.ts';
import type { Config } from '../../config/schema.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { type Releasers, startWithReleasers } from '../../kit/releasers.ts';
import type { MessageSpool, TriggerOutput } from '../../mount/delivery-ports.ts';
import { SpoolClock } from '../../mount/spool-clock.ts';
import type { Definition } from '../../registry/model.ts';
import { clock } from '../clock.ts';
import { BusConnection, createBusCounters, createBusSender } from './bus-connection.ts';
import { mountSettings, startMountHost } from './mount-host.ts';
import { PolledTree } from './tree-sources.ts';

export interface FilesDaemonOptions {
  readonly config: Config;
  /** What becomes of dead letters before it begins: nothing when undefined. */
  readonly deadLetters: 'replay' | 'purge' | undefined;
  /** Absolute. */
  readonly mountpoint: string;
  /** Of this mount alone: what waits to be delivered is there. */
  readonly stateDir: string;
  readonly installRoot: string;
  /** Somebody has unmounted it: there is nothing left to do. */
  readonly onUnmounted: () => void;
  readonly onOutput: (definition: Definition, output: TriggerOutput) => void;
  readonly log: Log;
}

export interface FilesDaemon {
  /** Resolves when a broker knows us. Throws `login-failed`, `broker-unreachable` and their like; we keep trying. */
  readonly loggedIn: Promise<void>;
  /** Resolves when they are mounted and a broker has told what there is, or could not be asked. Throws `mount-failed`. */
  readonly mounted: Promise<void>;
  stop(): Promise<void>;
}

/** Throws `team-missing`, `broker-missing`, `config-invalid`, `state-unusable`, `mount-failed`, `journal-*`. */
export const startFilesDaemon = (options: FilesDaemonOptions): Promise<FilesDaemon> =>
  startWithReleasers(options.log, (releasers) => start(options, releasers));

const start = async (options: FilesDaemonOptions, releasers: Releasers): Promise<FilesDaemon> => {
  const { config, mountpoint, stateDir, log } = options;
  const { team } = config.main;
  if (team === undefined) throw new TriggerdError('team-missing', '[main] team is missing');
  const connect = connectOptionsOf(config.main);
  const state = await prepareStateFolder(stateDir);
  const journal = openOwnJournal(state, mountpoint);
  releasers.push('journal', () => journal.close());
  const spool = journal.fileMessages(team);
  seeToDeadLetters(spool, options);
  const connection = new BusConnection(() => connect, log);
  releasers.push('broker', () => connection.close());
  const source = new PolledTree(team, connection, log);
  const { mounted } = startMountHost(
    {
      ...options,
      ...mountSettings(config, mountpoint, { level: config.log.level, format: 'human', node: team, isTerminal: false }),
      spool,
      hits: createBusCounters(connection, team, spool.counter()),
      sender: createBusSender(connection),
      source,
    },
    releasers,
  );
  source.start();
  releasers.push('tree', () => source.stop());
  // Without a broker it continues, with an empty tree; who polls says so.
  const told = source.ask().catch(() => undefined);
  return {
    loggedIn: connection.client().then(() => undefined),
    mounted: mounted.then(() => told),
    stop: () => releasers.release(),
  };
};

const openOwnJournal = ({ journalFile, jobsDir }: StateFolder, mountpoint: string): OpenJournal => {
  try {
    return openJournal({ file: journalFile, jobsDir });
  } catch (error) {
    if (!(error instanceof TriggerdError) || error.code !== 'already-running') throw error;
    throw new TriggerdError('mount-failed', `${mountpoint}: another triggerfs serves this folder`, { cause: error });
  }
};

const seeToDeadLetters = (spool: MessageSpool, { deadLetters, log }: FilesDaemonOptions): void => {
  if (deadLetters === undefined) return;
  const count =
    deadLetters === 'purge'
      ? spool.purge(undefined)
      : spool.revive(undefined, newRequestId, new SpoolClock(spool, clock).now()).length;
  log.info({ count }, deadLetters === 'purge' ? 'Deleted dead letters' : 'Dead letters wait again');
};
