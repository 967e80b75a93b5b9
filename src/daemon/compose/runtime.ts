import type { Logger } from 'pino';
import type { StateFolder } from '../../adapters/files/state-folder.ts';
import type { DaemonMetrics } from '../../adapters/prometheus/metrics.ts';
import type { OpenJournal } from '../../adapters/sqlite/open-journal.ts';
import type { LoadedConfig } from '../../config/config.ts';
import type { Config } from '../../config/schema.ts';
import type { EventLog } from '../../events/event-log.ts';
import type { FiringGate } from '../../firings/inbox/firing-gate.ts';
import type { NodeName } from '../../fleet/names/node-name.ts';
import type { ClockSteps } from '../../kit/clock-steps.ts';
import type { LivePlugins } from '../../plugin/live-plugins.ts';
import type { Runner } from '../../queue/ports/runner.ts';
import type { Queues } from '../../queue/queues.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Keyspace } from '../../store/keys.ts';
import type { EtcdMaintenance, Space } from '../../store/space.ts';
import type { RequestProofs } from '../../worker/jobs/request-jobs.ts';
import type { StartedBroker } from '../control/broker-view.ts';
import type { MountHost } from '../mount/mount-host.ts';

export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  /** This node's name, resolved. */
  readonly node: string;
  readonly version: string;
  /** The folder that holds `dist/` and `plugins/`. */
  readonly installRoot: string;
  readonly log: Logger;
}

/** What the steps of the start share, once it is there. */
export interface Runtime {
  readonly options: DaemonOptions;
  /** As at the start; what SIGHUP can change lies in `plugins` and the log. */
  readonly config: Config;
  readonly state: StateFolder;
  readonly journal: OpenJournal;
  readonly runner: Runner;
  readonly plugins: LivePlugins<Config>;
  readonly queues: Queues;
  /** What jobs of requests may ask others with. */
  readonly proofs: RequestProofs;
  /** Holds jobs of firings back while the name is not this process's. */
  readonly firingGate: FiringGate;
  readonly keyspace: Keyspace;
  readonly maintenance: EtcdMaintenance;
  /** How full etcd is. */
  readonly space: Space;
  readonly name: NodeName;
  readonly registry: Registry;
  readonly events: EventLog;
  readonly metrics: DaemonMetrics;
  readonly clockSteps: ClockSteps;
  /** Where this daemon is one, once it runs. */
  readonly broker?: StartedBroker;
  /** Where trigger files are mounted. */
  readonly mount?: Pick<MountHost, 'revive'>;
}

/** What a daemon without etcd has. */
export type WorkerDaemonRuntime = Omit<
  Runtime,
  'keyspace' | 'name' | 'maintenance' | 'space' | 'clockSteps' | 'registry'
>;
