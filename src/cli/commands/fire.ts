import type { FiredView, FiringView, NewFiringBody, OutcomeView } from '../../api/contract/firings.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { endedWell, isFinal } from '../../domain/outcome.ts';
import { given } from '../../kit/given.ts';
import { visible } from '../../kit/text.ts';
import type { Define } from '../command.ts';
import { followFiring } from '../support/follow-firing.ts';
import { duration, type HelpText, list, pair } from '../support/options.ts';
import {
  type Condition,
  checkShowing,
  conditions,
  filterHelp,
  filterOf,
  outcomeFields,
} from '../support/reply-filter.ts';
import { runChain } from '../support/run-chain.ts';
import { askingUser, print, type Session } from '../support/session.ts';

interface Options {
  readonly host?: readonly string[];
  readonly rerun?: string;
  readonly failed?: boolean;
  readonly plugin?: string;
  readonly arg?: Readonly<Record<string, string>>;
  readonly ttl?: number;
  readonly noop?: boolean;
  readonly wait?: boolean;
  readonly all?: boolean;
  readonly filterReplies?: readonly Condition[];
  readonly timeout?: number;
}

export const help: HelpText = {
  details: `
With --wait: prints one line per node when it ends. Exits 4 unless all nodes succeed, 5 when --timeout passes first. On a
terminal, with more than 20 nodes, only nodes that did not succeed have a line, unless --all is given. Ctrl-C ends the wait;
the firing continues.
${filterHelp('nodes', outcomeFields)}

With --rerun: fires again what an earlier firing ran (name, plugin, arguments, tags, noop), on all of its nodes. With
--failed: only on nodes where the earlier firing ended and did not succeed.`,
  examples: [
    "trigger fire 'refresh load balancers' --host lb01,lb02",
    'trigger fire rollout --host web01,web02,web03 --wait --timeout 10m',
    'trigger fire sync --host web01 --plugin command --arg command=sync',
    "trigger fire x --host a,b --wait --filter-replies 'exit_code!=0'",
    'trigger fire --rerun 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD --failed --wait',
  ],
};

export const define: Define = (command, run) =>
  command
    .argument('[name]', 'name of the trigger')
    .option('--host <name>', 'target; repeatable, or a list with commas', list)
    .option('--rerun <firing>', 'fire again what this firing ran, on its nodes')
    .option('--failed', 'with --rerun: only where it did not succeed')
    .option('--plugin <name>', 'plugin to run (default: run_cmd of the target)')
    .option('--args, --arg <name=value>', 'argument of the plugin; repeatable', pair)
    .option('--ttl <duration>', 'expire on nodes that have not run it after this time', duration)
    .option('--noop', 'only show what would change')
    .option('--wait', 'wait until all targets have ended')
    .option('--all', 'with --wait: print a line for each node')
    .option(
      '--filter-replies <condition>',
      'with --wait: show only nodes where it holds; repeatable',
      conditions(outcomeFields),
    )
    .option('--timeout <duration>', 'with --wait: maximum time to wait', duration)
    .action(run(fire));

const fire = async (session: Session, trigger: string | undefined, options: Options): Promise<number> => {
  checkUsage(trigger, options);
  const asked = await askedFiring(session, trigger, options);
  if (asked === undefined) {
    session.terminal.err(`trigger: ${options.rerun} did not fail on any node: nothing is fired\n`);
    return 0;
  }
  const body: NewFiringBody = { ...asked, user: askingUser(session.env), ...runChain(session.env) };
  const fired = await session.client.request<FiredView>('/v1/firings', { method: 'POST', body });
  warnOfUnseen(session, fired.unseen);
  const { wait, timeout, all, filterReplies } = options;
  if (wait === true)
    return followFiring(session, fired, { timeoutMs: timeout, showsAll: all, filter: filterOf(filterReplies) });
  await print(session, fired, () => fired.id);
  return 0;
};

const checkUsage = (
  trigger: string | undefined,
  { host, rerun, failed, plugin, arg, wait, all, filterReplies, timeout }: Options,
): void => {
  const usage = (problem: string): TriggerdError => new TriggerdError('usage', problem);
  if (rerun === undefined && (trigger === undefined || host === undefined))
    throw usage('name the trigger, and its nodes with --host; or name an earlier firing with --rerun');
  if (rerun === undefined && failed === true) throw usage('--failed needs --rerun FIRING');
  if (rerun !== undefined && [trigger, host, plugin, arg].some((each) => each !== undefined))
    throw usage('--rerun takes name, nodes, plugin and arguments from the earlier firing: leave them out');
  if (wait !== true && timeout !== undefined) throw usage('--timeout needs --wait (to let a firing expire, use --ttl)');
  if (wait !== true && all === true) throw usage('--all needs --wait');
  if (wait !== true && filterReplies !== undefined) throw usage('--filter-replies needs --wait');
  checkShowing({ all, filterReplies });
};

/** Undefined: `--failed`, and there is no node where it did not end well. */
const askedFiring = async (
  session: Session,
  trigger: string | undefined,
  { host, rerun, failed, plugin, arg, ttl, noop }: Options,
): Promise<NewFiringBody | undefined> => {
  const asked = given({ ttl_ms: ttl, noop });
  if (rerun !== undefined) {
    const again = await rerunOf(session, rerun, failed === true);
    return again === undefined ? undefined : { ...again, ...asked };
  }
  return { trigger: trigger ?? '', hosts: host ?? [], ...given({ plugin, args: arg }), ...asked };
};

const warnOfUnseen = (session: Session, unseen: readonly string[]): void => {
  for (const node of unseen)
    session.terminal.err(`trigger: no daemon has ever announced itself as ${visible(node)}: is the name right?\n`);
};

type Rerun = Pick<NewFiringBody, 'trigger' | 'hosts' | 'plugin' | 'args' | 'tags' | 'noop'>;

/**
 * What firing `id` asked for, on all of its nodes, or with `onlyFailed` on those where it ended and did not end well. Nodes
 * where it has not ended are owed that run already; they are named on stderr. Undefined: there is no such node. Throws `firing-not-found`,
 * and `daemon-answer` for a daemon that does not tell the tags: without them another run would start.
 */
const rerunOf = async (session: Session, id: string, onlyFailed: boolean): Promise<Rerun | undefined> => {
  const firing = await session.client.request<FiringView>(`/v1/firings/${encodeURIComponent(id)}`);
  const { trigger, targets, job, tags, noop } = firing;
  if (tags === undefined)
    throw new TriggerdError(
      'daemon-answer',
      'the daemon has an earlier version, which does not report the tags of the firing',
    );
  const hosts = onlyFailed ? failedNodes(session, firing) : targets;
  if (hosts.length === 0) return undefined;
  return { trigger, hosts, args: job.args, tags, noop, ...(job.plugin === null ? {} : { plugin: job.plugin }) };
};

const failedNodes = (session: Session, { id, targets, outcomes }: FiringView): string[] => {
  const outcomeOf = (node: string): OutcomeView | undefined => outcomes[node];
  const hasEnded = (node: string): boolean => isFinal(outcomeOf(node)?.stage ?? 'owed');
  const open = targets.filter((node) => !hasEnded(node));
  if (open.length > 0)
    session.terminal.err(
      `trigger: ${id} has not ended on ${open.map(visible).join(', ')}: nothing new is fired there\n`,
    );
  return targets.filter((node) => {
    const outcome = outcomeOf(node);
    return outcome !== undefined && isFinal(outcome.stage) && !endedWell(outcome);
  });
};
