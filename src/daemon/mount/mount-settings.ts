import type { LogOptions } from '../../adapters/log/log.ts';
import type { Config } from '../../config/schema.ts';
import type { MountHostOptions } from './mount-host.ts';

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
