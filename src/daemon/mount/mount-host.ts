import { join } from 'node:path';
import type { MountSettings } from '../../adapters/fuse/mount-process.ts';
import { newRequestId } from '../../client/new-id.ts';
import type { Log } from '../../kit/log.ts';
import type { Releasers } from '../../kit/releasers.ts';
import type {
  HitCounters,
  MessageSpool,
  RequestSender,
  TreeSource,
  TriggerOutput,
} from '../../mount/delivery-ports.ts';
import { HitPublisher } from '../../mount/hit-publisher.ts';
import { NodeGateway } from '../../mount/node-gateway.ts';
import type { TreeSnapshot } from '../../mount/tree.ts';
import type { Definition } from '../../registry/model.ts';
import { clock } from '../clock.ts';
import { MountSupervisor } from './mount-supervisor.ts';

export interface MountHostOptions {
  readonly settings: MountSettings;
  /** The folder that holds `dist/`. */
  readonly installRoot: string;
  readonly spool: MessageSpool;
  readonly sender: RequestSender;
  readonly source: TreeSource;
  readonly deadlineMs: number;
  readonly maxSpooledBytes: number;
  readonly hits: HitCounters;
  /** Somebody has unmounted it. When missing, it is mounted again. */
  readonly onUnmounted?: () => void;
  readonly onOutput: (definition: Definition, output: TriggerOutput) => void;
  readonly log: Log;
}

export interface MountHost {
  /**
   * Resolves when they are mounted for the first time; rejects with the reason when they cannot be, and keeps trying
   * until it is released.
   */
  readonly mounted: Promise<void>;
  /** Dead letters of this trigger, or of all, wait again. How many. Throws `journal-failed`. */
  revive(definition: number | undefined): number;
}

/** The trigger files on this node, inside a daemon or on their own. Throws `journal-failed`. */
export const startMountHost = (options: MountHostOptions, releasers: Releasers): MountHost => {
  const { settings, installRoot, source, hits, log } = options;
  let tree: TreeSnapshot | undefined;
  let supervisor: MountSupervisor | undefined;
  const gateway = new NodeGateway({
    ...options,
    newId: newRequestId,
    clocks: clock,
    onTree: (snapshot) => {
      tree = snapshot;
      supervisor?.show(snapshot);
    },
    onSeen: (seen) => supervisor?.saw(seen),
  });
  gateway.start();
  releasers.push('trigger files', () => gateway.stop());
  const publisher = new HitPublisher({
    spool: options.spool,
    counters: hits,
    isKnown: (id) => gateway.knows(id),
    log,
  });
  publisher.start();
  releasers.push('hits', () => publisher.stop());
  const mounted = new Promise<void>((onMounted, onFailed) => {
    supervisor = new MountSupervisor({
      ...{ settings, gateway, log, onMounted, onFailed },
      onUnmounted: options.onUnmounted,
      program: join(installRoot, 'dist', 'programs', 'mount.js'),
      known: () => ({ tree: tree ?? source.current(), seen: gateway.seen() }),
    });
    supervisor.start();
    releasers.push('mount', () => supervisor?.stop());
  });
  return { mounted, revive: (definition) => gateway.revive(definition) };
};
