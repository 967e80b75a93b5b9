import { Command, Option } from 'commander';
import { addHelp } from '../support/help.ts';

export interface FilesFlags {
  readonly config?: string;
  readonly mountpoint?: string;
  readonly background?: boolean;
  readonly replay?: boolean;
  readonly purge?: boolean;
}

/** The command line of `triggerfs`; options may have one dash or two. */
export const triggerfsCommand = (): Command => {
  const command = new Command('triggerfs')
    .description('Mounts the trigger files of a team: a write to a file sends a request to a service.')
    .option('--mountpoint <folder>', 'where to mount (default: [triggerfs] mountpoint)')
    .option('--background', 'return once it is mounted, and go on in the background')
    .addOption(
      new Option('--replay', 'try once more what could not be delivered and is a dead letter').conflicts('purge'),
    )
    .option('--purge', 'forget the dead letters of this mount')
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, $HOME/triggerfs.toml, else triggerd’s)')
    .allowExcessArguments(false);
  return addHelp(command, {
    details: `
Who asks, and of which broker, is in [main] of the configuration. What the requests answer is printed, and copied to
[triggerfs] logfile. What is written while no broker answers waits on disk, below $XDG_STATE_HOME/triggerd/triggerfs.

SIGHUP opens the log file anew, after it was rotated. A log file that cannot be opened is a warning.
SIGTERM and Ctrl-C unmount; what waits then is delivered after the next start. An empty folder is needed; a missing one is
made, and a mount that a crash has left is replaced.
.NAME.status beside a trigger tells how many of its messages are dead letters, and why.`,
    examples: ['triggerfs', 'triggerfs -mountpoint /mnt/triggerfs -background', 'triggerfs -replay'],
  });
};
