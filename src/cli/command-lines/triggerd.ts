import { Command } from 'commander';
import { addHelp } from '../support/options.ts';

/** The daemon's command line. */
export const triggerdCommand = (): Command => {
  const command = new Command('triggerd')
    .description('Watches etcd for firings owed to this node, and runs them. Stays in the foreground; logs to stderr.')
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, else /etc/triggerd/triggerd.toml)')
    .option('--socket <path>', 'control socket (default: [node] socket)')
    .option('--user', 'run the queue of one user: no etcd, socket below $XDG_RUNTIME_DIR');
  return addHelp(command, {
    details: `
SIGHUP reloads the configuration. SIGTERM stops the daemon; running jobs continue. Requests that its workers run have 30 s
to finish; a second signal ends them at once. \`trigger config check\` checks a configuration.

With --user, triggerd runs jobs of \`trigger queue add\` and \`trigger tsp\` as the user who starts it, and nothing else. It keeps
jobs below $XDG_STATE_HOME/triggerd, and reads $XDG_CONFIG_HOME/triggerd/triggerd.toml if that file exists.`,
    examples: ['triggerd', 'triggerd --config ./triggerd.toml', 'triggerd --user'],
  });
};
