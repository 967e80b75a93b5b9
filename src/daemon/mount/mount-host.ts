import { join } from 'node:path';
import { type MountSettings, startMountProcess } from '../../adapters/fuse/mount-process.ts';
import type { LogOptions } from '../../adapters/log/log.ts';
import { newRequestId } from '../../client/new-id.ts';
import type { Config } from '../../config/schema.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { onAbort } from '../../kit/on-abort.ts';
import { pause } from '../../kit/pause.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { retryDelayMs, storeRetry } from '../../kit/retry.ts';
import type { Seen } from '../../mount/attributes.ts';
import type {
  HitCounters,
  MessageSpool,
  RequestSender,
  TreeSource,
  TriggerOutput,
} from '../../mount/delivery-ports.ts';
import { HitPublisher } from '../../mount/hit-publisher.ts';
import { MountLink } from '../../mount/link.ts';
import { NodeGateway } from '../../mount/node-gateway.ts';
import type { Gateway } from '../../mount/ports.ts';
import type { TreeSnapshot } from '../../mount/tree.ts';
import type { Definition } from '../../registry/model.ts';
import { clock } from '../clock.ts';

interface MountHostOptions {
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

/** What `[triggerfs]` says about a mount at `mountpoint` (absolute). */
export const mountSettings = (
  { triggerfs }: Config,
  mountpoint: string,
  log: LogOptions,
): Pick<MountHostOptions, 'settings' | 'deadlineMs' | 'maxSpooledBytes'> => ({
  settings: { mountpoint, allowOther: triggerfs.allow_other ?? process.getuid?.() === 0, log },
  deadlineMs: triggerfs.deadline,
  maxSpooledBytes: triggerfs.max_spooled,
});

interface MountSupervisorOptions {
  readonly settings: MountSettings;
  /** Of the mount: `dist/programs/mount.js`. */
  readonly program: string;
  readonly gateway: Gateway;
  /** What a new process is to know at once. */
  readonly known: () => { readonly tree: TreeSnapshot | undefined; readonly seen: ReadonlyMap<number, Seen> };
  readonly onMounted: () => void;
  /** Somebody has unmounted it. When missing, it is mounted again. */
  readonly onUnmounted?: (() => void) | undefined;
  /** It could not be mounted, or is not any more, and will be tried again. */
  readonly onFailed: (error: Error) => void;
  readonly log: Log;
}

/** A process that lived this long has not failed at its start. */
const stableMs = 60_000;
/** How the process ends when its mount is gone. */
const unmountedWords = 'exit code 0';

/** Keeps the trigger files mounted: a process of a mount that ends is followed by another one. */
class MountSupervisor {
  readonly #options: MountSupervisorOptions;
  readonly #stop = new AbortController();
  #link: MountLink | undefined;
  #running: Promise<void> | undefined;

  constructor(options: MountSupervisorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  show(tree: TreeSnapshot): void {
    this.#link?.show(tree);
  }

  saw(seen: ReadonlyMap<number, Seen>): void {
    this.#link?.saw(seen);
  }

  /** Resolves when nothing is mounted any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      const startedAt = performance.now();
      const how = await this.#serve().catch((error: unknown) => String(error));
      if (this.#stop.signal.aborted) return;
      if (how === unmountedWords && this.#options.onUnmounted !== undefined) return this.#options.onUnmounted();
      failures = performance.now() - startedAt > stableMs ? 1 : failures + 1;
      const delayMs = retryDelayMs(storeRetry, failures);
      this.#options.log.error({ how, delayMs }, 'The process of the mount has ended; restarting it');
      await pause(delayMs, this.#stop.signal);
    }
  }

  /** One life of the process; says how it ended. Throws `journal-failed` before there is one. */
  async #serve(): Promise<string> {
    const { program, settings, gateway, known, onMounted, onFailed, log } = this.#options;
    const { tree, seen } = known();
    const process = startMountProcess(program, settings, log);
    const off = onAbort(this.#stop.signal, () => void process.end());
    const link = new MountLink(process.stream, gateway, log);
    if (tree !== undefined) link.show(tree);
    link.saw(seen);
    this.#link = link;
    link.mounted.then(onMounted, onFailed);
    const how = await process.ended;
    // Where it has said nothing itself.
    onFailed(new TriggerdError('mount-failed', `${settings.mountpoint}: the process of the mount ended: ${how}`));
    this.#link = undefined;
    off();
    return how;
  }
}
