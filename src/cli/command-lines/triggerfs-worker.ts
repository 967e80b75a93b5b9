import { Command, InvalidArgumentError } from 'commander';
import { addHelp } from '../support/options.ts';

export interface WorkerFlags {
  readonly identity?: string;
  readonly team?: string;
  readonly debug?: boolean;
  readonly config?: string;
  readonly socket?: string;
}

/** The worker's command line. Single dashes do as well. */
export const triggerfsWorkerCommand = (): Command => {
  const command = new Command('triggerfs-worker')
    .description('Runs the requests to one worker and to its services. Stays in the foreground; logs to stderr.')
    .option('--identity <name>', 'the worker: NAME of [workers.TEAM.NAME]')
    .option('--team <name>', 'team (default: the only one with that worker, else [main] team)')
    .option('--debug [boolean]', 'log each step and each heartbeat', truth)
    .option(
      '--config <file>',
      'configuration (default: $TRIGGERD_CONFIG, ~/triggerfs.toml, /etc/triggerd/triggerd.toml)',
    )
    .option('--socket <path>', 'control socket (default: triggerd.sock in the worker’s state folder)')
    .allowExcessArguments(false);
  return addHelp(command, {
    details: `
The worker connects to [workers] broker, verifies it with [workers] broker_key, and connects to each other broker that it
announces. If [workers] has neither key, [main] broker and broker_key apply. The worker needs no open port, and nothing
else of [main].

Jobs, their output and their history are in the worker’s own folder, $XDG_STATE_HOME/triggerd/TEAM.NAME (by default
~/.local/state/triggerd/TEAM.NAME), or in [node] state_dir if that is set. To list the jobs, use \`trigger queue --socket\`
with the control socket in this folder.

SIGTERM and Ctrl-C stop the worker: it accepts no new requests, and running ones have 30 s to finish. A second signal ends
the worker and its requests at once.`,
    examples: [
      'triggerfs-worker -identity demo01',
      'triggerfs-worker -identity demo01 -debug true',
      'triggerfs-worker -identity demo01 -team team1 -config ./triggerfs.toml',
    ],
  });
};

const truth = (text: string): boolean => {
  if (/^(?:true|1)$/.test(text)) return true;
  if (/^(?:false|0)$/.test(text)) return false;
  throw new InvalidArgumentError('Expected true or false.');
};
