import { Command } from 'commander';
import { addHelp } from '../support/help.ts';
import { duration, pair } from '../support/options.ts';
import { type Condition, conditions, filterHelp, workerFields } from '../support/reply-filter.ts';

export interface RequestFlags {
  readonly service?: string;
  readonly plugin?: string;
  /** ms. */
  readonly timeout?: number;
  readonly command?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly raw?: boolean;
  readonly all?: boolean;
  readonly filterReplies?: readonly Condition[];
}

/** Of every command that prints what a plugin has written. */
export const rawHelp = 'print all bytes to a terminal, too (default: text and colours)';

/** What `triggerfs-client` and `trigger request` have in common. */
export const addRequestOptions = (command: Command): Command =>
  command
    .option('--service <name>', 'a service, a worker’s identity, or team/service of another team')
    .option('--plugin <name>', 'what to run there; `command` is short for command/command')
    .option('--timeout <duration>', 'kill it after this time (default: the service’s)', duration)
    .option('--command <text>', 'what the plugin gets to read (default: stdin)')
    .option('--arg, --args <name=value>', 'an argument of the plugin; repeatable', pair)
    .option('--all', 'of many workers show all on a terminal, also those that ended well')
    .option('--filter-replies <condition>', 'show only workers where it holds; repeatable', conditions(workerFields))
    .option('--raw', rawHelp);

/** What its help says of many workers. */
export const repliesHelp = `Where more than 20 workers answer (algorithm mirror or serial), a terminal shows only those that did not end well, each when
it has ended, and how many ended how; with --all everything, as it comes.
${filterHelp('workers', workerFields)}`;

/** The command line of `triggerfs-client`; options may have one dash or two. */
export const triggerfsClientCommand = (): Command => {
  const command = new Command('triggerfs-client')
    .description('Sends a request to a service, prints what its workers answer, and exits with the plugin’s exit code.')
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, $HOME/triggerfs.toml, else triggerd’s)');
  return addHelp(addRequestOptions(command), {
    details: `
Who asks, and of which broker, is in [main] of the configuration. Options may have one dash or two. Without -command the
payload is read from stdin. [triggerfs-client] logfile gets a copy of all that is printed.

Exits with the plugin’s exit code; 124 when its time was up, 127 when it could not be started, 128 and the signal’s number
when it was killed; 1 when it was refused or lost, 2 for a wrong command line or configuration, 3 when no broker or worker
answers. Ctrl-C (130), SIGTERM (143), SIGHUP or a closed terminal (129), a reader that goes away as in \`| head\` (141) and output
that cannot be written (1) end the job on its worker; a second Ctrl-C leaves at once.

${repliesHelp}`,
    examples: [
      'triggerfs-client -service demo -plugin command -timeout 5s -command id',
      'echo uptime | triggerfs-client -service demo01 -plugin command',
      "triggerfs-client -service twilio/api -plugin sms -command 'Hey' \\",
      '  -args recipient=0123456789',
    ],
  });
};
