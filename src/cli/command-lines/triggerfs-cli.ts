import { Command } from 'commander';
import { addHelp } from '../support/options.ts';
import { rawHelp } from '../support/terminal.ts';

export interface ConsoleFlags {
  readonly command?: readonly string[];
  readonly json?: boolean;
  readonly config?: string;
  /** True: that of the configuration. */
  readonly socket?: string | true;
  readonly team?: string;
  readonly keepGoing?: boolean;
  readonly passwordStdin?: boolean;
  readonly raw?: boolean;
}

/** The command line of `triggerfs-cli`; options may have one dash or two. */
export const triggerfsCliCommand = (): Command => {
  const command = new Command('triggerfs-cli')
    .description('The console of triggerFS: manages teams, users, workers, services and triggers, and sends requests.')
    .option('-c, --command <statement>', 'run this statement; repeatable', (each: string, before: string[] = []) => [
      ...before,
      each,
    ])
    .option('--json', 'print one JSON array per statement, one a line')
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, $HOME/triggerfs.toml, else triggerd’s)')
    .option('--team <team>', 'team (default: [main] team)')
    .option('--socket [path]', 'use the control socket of this node’s daemon: as administrator, without login')
    .option('--keep-going', 'continue after a statement that failed')
    .option('--password-stdin', 'with -c: read the new password of a user from stdin')
    .option('--raw', `of requests: ${rawHelp}`);
  return addHelp(command, {
    details: `
Without -c, statements are read from stdin, one a line; \`#\` begins a comment. The statement \`help\` lists all statements.
[main] of the configuration names the user and the broker. Options can have one dash or two.

Stops at the first statement that fails, and exits 1. Exits 2 when the command line or the configuration is wrong, 3 when no
broker or daemon answers.`,
    examples: [
      "triggerfs-cli -c 'set workers identity demo01' -c 'show workers'",
      'triggerfs-cli < setup.txt',
      "triggerfs-cli --json -c 'show services' | jq -r '.[].name'",
      "triggerfs-cli --socket --team team1 -c 'show users'",
    ],
  });
};
