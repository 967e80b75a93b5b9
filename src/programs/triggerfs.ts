/** Entry of `bin/triggerfs`: the trigger files of a team, as triggerFS’ documentation has it. */

import { isatty } from 'node:tty';
import { CommanderError } from 'commander';
import { createNotifier } from '../adapters/systemd/notify.ts';
import { type FilesFlags, triggerfsCommand } from '../cli/command-lines/triggerfs.ts';
import { goToBackground, say, tellReady } from '../cli/files/background.ts';
import { serveFiles } from '../cli/files/serve-files.ts';
import { beginDaemon } from '../cli/support/daemon-process.ts';
import { loadTriggerfsConfig } from '../cli/support/load-config.ts';
import { commandLineError, exitCodeOfError, renderError } from '../cli/support/report-error.ts';
import { readFlags } from '../cli/support/triggerfs-command.ts';
import { watchTerminal } from '../cli/support/watch-reader.ts';

const main = async (): Promise<void> => {
  // Asked first: a terminal that is closed while the trigger files are mounted is none afterwards.
  const hasTerminal = isatty(2);
  beginDaemon();
  const flags = readFlags<FilesFlags>(triggerfsCommand(), process.argv.slice(2));
  if (flags.background === true && process.send === undefined) {
    process.exitCode = await goToBackground(process.argv.slice(1));
    return;
  }
  const overrides = { 'triggerfs.mountpoint': flags.mountpoint };
  const loaded = loadTriggerfsConfig({ file: flags.config, env: process.env, overrides });
  const files = await serveFiles(loaded, {
    isBackground: flags.background === true,
    deadLetters: flags.replay === true ? 'replay' : flags.purge === true ? 'purge' : undefined,
    env: process.env,
  });
  const end = (): void => void files.stop().then(() => process.exit(0));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, end);
  // A terminal that is closed says SIGHUP, too, and is a terminal no more.
  process.on('SIGHUP', () => (hasTerminal && !isatty(2) ? end() : files.reopenLog()));
  // Not everybody who uses a terminal is told that it is closed.
  if (hasTerminal) watchTerminal(2, end);
  void files.unmounted.then(end);
  tellReady();
  await createNotifier(process.env, (problem) => say(`triggerfs: ${problem}\n`))('--ready');
};

try {
  await main();
} catch (thrown) {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) process.exit(0);
  const error = commandLineError(thrown);
  say(renderError(error, false, 'triggerfs'), () => process.exit(exitCodeOfError(error)));
}
