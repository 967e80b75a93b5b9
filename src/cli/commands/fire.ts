import type { FiredView, NewFiringBody } from '../../api/contract.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../domain/text.ts';
import { askingUser } from '../asking-user.ts';
import type { Define } from '../command.ts';
import { followFiring } from '../follow-firing.ts';
import { addHelp, type HelpText } from '../help.ts';
import { duration, list, pair } from '../options.ts';
import { print } from '../print.ts';
import { runChain } from '../run-chain.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly host: readonly string[];
  readonly plugin?: string;
  readonly arg?: Readonly<Record<string, string>>;
  readonly ttl?: number;
  readonly noop?: boolean;
  readonly wait?: boolean;
  readonly timeout?: number;
}

const help: HelpText = {
  details: `
With --wait: prints one line per node as it ends; exits 4 unless all ended well, 5 when --timeout passes first. Ctrl-C
ends the waiting, not the firing.`,
  examples: [
    "trigger fire 'refresh load balancers' --host lb01,lb02",
    'trigger fire rollout --host web01,web02,web03 --wait --timeout 10m',
    'trigger fire sync --host web01 --plugin command --arg command=sync',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<name>', 'the trigger’s name: what this is about')
    .requiredOption('--host <name>', 'a target; repeatable, or several separated by commas', list)
    .option('--plugin <name>', 'what to run there (default: what the target has as run_cmd)')
    .option('--args, --arg <name=value>', 'an argument of the plugin; repeatable', pair)
    .option('--ttl <duration>', 'expires where it is still owed after this time', duration)
    .option('--noop', 'only say what would be done')
    .option('--wait', 'wait until all targets have ended')
    .option('--timeout <duration>', 'with --wait: wait no longer than this', duration)
    .action(run(fire));
};

const fire = async (session: Session, trigger: string, options: Options): Promise<number> => {
  if (options.timeout !== undefined && options.wait !== true)
    throw new TriggerdError('usage', '--timeout says how long to wait: it needs --wait (--ttl lets a firing expire)');
  const body = { ...newFiring(trigger, options, askingUser(session.env)), ...runChain(session.env) };
  const fired = await session.client.request<FiredView>('/v1/firings', { method: 'POST', body });
  warnOfUnseen(session, fired.unseen);
  if (options.wait === true) return followFiring(session, fired, options.timeout);
  await print(session, fired, () => fired.id);
  return 0;
};

const newFiring = (trigger: string, { host, plugin, arg, ttl, noop }: Options, user: string): NewFiringBody => ({
  trigger,
  hosts: host,
  user,
  ...(plugin === undefined ? {} : { plugin }),
  ...(arg === undefined ? {} : { args: arg }),
  ...(ttl === undefined ? {} : { ttl_ms: ttl }),
  ...(noop === undefined ? {} : { noop }),
});

const warnOfUnseen = (session: Session, unseen: readonly string[]): void => {
  for (const node of unseen)
    session.terminal.err(`trigger: no daemon has ever announced itself as ${visible(node)}: is the name right?\n`);
};
