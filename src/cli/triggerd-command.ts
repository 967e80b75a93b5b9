import { Command } from 'commander';
import { addHelp } from './help.ts';

/** The daemon's command line. */
export const triggerdCommand = (): Command => {
  const command = new Command('triggerd')
    .description('Watches etcd for what this node is owed, and runs it. In the foreground; logs to stderr.')
    .option('--config <file>', 'configuration (default: $TRIGGERD_CONFIG, else /etc/triggerd/triggerd.toml)')
    .option('--socket <path>', 'control socket (default: [node] socket)');
  return addHelp(command, {
    details: `
SIGHUP reloads the configuration; SIGTERM stops, running jobs go on. Requests that its workers run have 30 s to finish; a
second signal ends them at once. \`trigger config check\` checks a configuration.`,
    examples: ['triggerd', 'triggerd --config ./triggerd.toml'],
  });
};
