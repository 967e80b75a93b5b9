import { Command } from 'commander';
import { addHelp } from '../support/help.ts';
import { rawHelp } from './triggerfs-client.ts';

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
    .description('The console of triggerFS: manages teams, users, workers, services and triggers, and makes requests.')
    .option('-c, --command <statement>', 'run this statement; repeatable', (each: string, before: string[] = []) => [
      ...before,
      each,
    ])
    .option('--json', 'print an array per statement, one a line')
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, $HOME/triggerfs.toml, else triggerd’s)')
    .option('--team <team>', 'the team that is meant (default: [main] team)')
    .option('--socket [path]', 'ask the daemon of this node by its control socket: as its administrator, without login')
    .option('--keep-going', 'go on after a statement that failed')
    .option('--password-stdin', 'with -c: read the new password of a user from stdin')
    .option('--raw', `of requests: ${rawHelp}`);
  return addHelp(command, {
    details: `
Without -c, statements are read from stdin, one a line; \`#\` begins a comment. The statement \`help\` shows all of them.
Who asks, and of which broker, is in [main] of the configuration. Options may have one dash or two.

Ends at the first statement that fails and exits 1; 2 for a wrong command line or configuration, 3 when no broker or daemon
answers.`,
    examples: [
      "triggerfs-cli -c 'set workers identity demo01' -c 'show workers'",
      'triggerfs-cli < setup.txt',
      "triggerfs-cli --json -c 'show services' | jq -r '.[].name'",
      "triggerfs-cli --socket --team team1 -c 'show users'",
    ],
  });
};
