import { Command, Option } from 'commander';
import { addHelp } from '../support/options.ts';

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
    .option('--mountpoint <folder>', 'mount point (default: [triggerfs] mountpoint)')
    .option('--background', 'return after mounting, and continue in the background')
    .addOption(new Option('--replay', 'send the dead letters of this mount again').conflicts('purge'))
    .option('--purge', 'delete the dead letters of this mount')
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, $HOME/triggerfs.toml, else triggerd’s)')
    .allowExcessArguments(false);
  return addHelp(command, {
    details: `
[main] of the configuration names the user and the broker. Replies are printed, and copied to [triggerfs] logfile. While no
broker answers, messages wait on disk, below $XDG_STATE_HOME/triggerd/triggerfs.

SIGHUP reopens the log file after a rotation. If the log file cannot be opened, triggerfs warns and continues.
SIGTERM and Ctrl-C unmount. Messages that still wait are delivered after the next start. The folder must be empty. A missing
folder is created, and a dead mount of a crash is replaced.
.NAME.status beside a trigger shows how many of its messages are dead letters, and why.`,
    examples: ['triggerfs', 'triggerfs -mountpoint /mnt/triggerfs -background', 'triggerfs -replay'],
  });
};
