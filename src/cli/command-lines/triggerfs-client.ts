import { Command } from 'commander';
import { addHelp, duration, pair } from '../support/options.ts';
import { type Condition, conditions, filterHelp, workerFields } from '../support/reply-filter.ts';
import { rawHelp } from '../support/terminal.ts';

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

/** What `triggerfs-client` and `trigger request` have in common. */
export const addRequestOptions = (command: Command): Command =>
  command
    .option('--service <name>', 'service, worker, or team/service of another team')
    .option('--plugin <name>', 'plugin to run; `command` is short for command/command')
    .option('--timeout <duration>', 'kill the job after this time (default: the service’s)', duration)
    .option('--command <text>', 'input of the plugin (default: stdin)')
    .option('--arg, --args <name=value>', 'argument of the plugin; repeatable', pair)
    .option('--all', 'show all workers on a terminal, also successful ones')
    .option('--filter-replies <condition>', 'show only workers that match; repeatable', conditions(workerFields))
    .option('--raw', rawHelp);

/** What its help says of many workers. */
export const repliesHelp = `If more than 20 workers answer (algorithm mirror or serial), a terminal shows only workers that did not succeed, each when it
has ended, and a summary. With --all it shows the output of all workers as it comes.
${filterHelp('workers', workerFields)}`;

/** The command line of `triggerfs-client`; options may have one dash or two. */
export const triggerfsClientCommand = (): Command => {
  const command = new Command('triggerfs-client')
    .description(
      'Sends a request to a service, prints the replies of its workers, and exits with the plugin’s exit code.',
    )
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, $HOME/triggerfs.toml, else triggerd’s)');
  return addHelp(addRequestOptions(command), {
    details: `
[main] of the configuration names the user and the broker. Options can have one dash or two. Without -command, the
payload is read from stdin. All output is also written to [triggerfs-client] logfile.

Exits with the plugin’s exit code, with 124 when its timeout ended it, with 127 when it could not be started, and with 128
plus the signal’s number when a signal killed it. Exits 1 when the request was refused or lost, 2 when the command line or
the configuration is wrong, 3 when no broker or worker answers. Five events cancel the job on its worker: Ctrl-C (130),
SIGTERM (143), SIGHUP or a closed terminal (129), a reader that goes away as in \`| head\` (141), and output that cannot be
written (1). A second Ctrl-C exits at once.

${repliesHelp}`,
    examples: [
      'triggerfs-client -service demo -plugin command -timeout 5s -command id',
      'echo uptime | triggerfs-client -service demo01 -plugin command',
      "triggerfs-client -service twilio/api -plugin sms -command 'Hey' \\",
      '  -args recipient=0123456789',
    ],
  });
};
