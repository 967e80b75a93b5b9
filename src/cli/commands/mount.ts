import { unlessAborted } from '../../kit/unless-aborted.ts';
import type { Define } from '../command.ts';
import { serveFiles } from '../files/serve-files.ts';
import { loadTriggerfsConfig } from '../support/load-config.ts';
import type { HelpText } from '../support/options.ts';
import type { Session } from '../support/session.ts';

export const help: HelpText = {
  details: `
Does the same as \`triggerfs\` for this folder, in the foreground, until Ctrl-C or SIGTERM unmounts it. [main] of the
configuration, or of $HOME/triggerfs.toml, names the user and the broker. While no broker answers, messages wait on disk.
triggerd itself mounts [triggerfs] mountpoint.`,
  examples: ['trigger mount /mnt/triggerfs'],
};

export const define: Define = (command, run) =>
  command.argument('<folder>', 'mount point: an empty or new folder').action(run(mount));

/** How a service is stopped. */
const terminated = 143;

const mount = async ({ configFile, env, interrupt, interruption }: Session, folder: string): Promise<number> => {
  const overrides = { 'triggerfs.mountpoint': folder };
  const loaded = loadTriggerfsConfig({ file: configFile, env, overrides });
  const files = await serveFiles(loaded, { isBackground: false, deadLetters: undefined, env });
  await unlessAborted(files.unmounted, interrupt, () => undefined);
  await files.stop();
  const exitCode = interruption.exitCode() ?? 0;
  return exitCode === terminated ? 0 : exitCode;
};
