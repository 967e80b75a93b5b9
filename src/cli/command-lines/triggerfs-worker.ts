import { Command, InvalidArgumentError } from 'commander';
import { addHelp } from '../support/help.ts';

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
    .description(
      'Runs what clients ask of one worker and of the services that it is attached to. In the foreground; logs to stderr.',
    )
    .option('--identity <name>', 'which worker: the NAME of [workers.TEAM.NAME]')
    .option('--team <name>', 'its team (default: the only one with that worker, else [main] team)')
    .option('--debug [boolean]', 'log each step and each heartbeat', truth)
    .option(
      '--config <file>',
      'configuration (default: $TRIGGERD_CONFIG, ~/triggerfs.toml, /etc/triggerd/triggerd.toml)',
    )
    .option('--socket <path>', 'control socket (default: triggerd.sock in the worker’s state folder)')
    .allowExcessArguments(false);
  return addHelp(command, {
    details: `
The worker connects to [workers] broker, which proves itself by [workers] broker_key, and to every other broker that this
one names. Where [workers] has neither key, [main] broker and broker_key count. The worker needs no open port, and nothing
else of [main].

Its jobs, their output and their history are in a folder of its own, $XDG_STATE_HOME/triggerd/TEAM.NAME (by default
~/.local/state/triggerd/TEAM.NAME), or in [node] state_dir where the configuration has that; \`trigger queue --socket\`
with the control socket in there shows them.

SIGTERM and Ctrl-C stop it: it takes nothing new, and what runs has 30 s to finish. The second one ends it at once, and
what runs with it.`,
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
