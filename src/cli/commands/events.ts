import { InvalidArgumentError } from 'commander';
import type { EventsView } from '../../api/contract/events.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { type Event, eventKinds } from '../../events/event.ts';
import { jsonText } from '../../kit/json-text.ts';
import { withWidths } from '../../kit/width.ts';
import type { Define } from '../command.ts';
import { painter } from '../render/color.ts';
import { renderEvent } from '../render/event.ts';
import { countFrom0, duration, type HelpText, list, query } from '../support/options.ts';
import type { Session } from '../support/session.ts';
import { throughRestarts } from '../support/through-restarts.ts';

interface Options {
  readonly follow?: boolean;
  readonly fleet?: boolean;
  readonly since?: number;
  readonly limit?: number;
  readonly node?: readonly string[];
  readonly trigger?: readonly string[];
  readonly stage?: readonly string[];
  readonly kind?: readonly string[];
}

const stages = ['owed', 'queued', 'running', 'deferred', 'finished', 'skipped'];
const families = [...new Set(eventKinds.map((kind) => kind.slice(0, kind.indexOf('.'))))];
const maxLimit = 10_000;
const defaultLimit = 100;
/** What happened just before, as `tail -f` shows it. */
const limitBeforeFollowing = 10;

export const help: HelpText = {
  details: `Prints one line per event on a terminal, otherwise JSON lines. --follow continues until Ctrl-C, also when the daemon restarts.

Kinds: for example job.finished, or a family: ${families.join(', ')}. docs/reference/events.md lists all kinds.`,
  examples: [
    'trigger events --since 1h',
    "trigger events --follow --fleet --trigger 'refresh load balancers'",
    'trigger events --follow --kind job.finished --json | jq .result',
    'trigger events --fleet --stage skipped,deferred --limit 1000',
  ],
};

export const define: Define = (command, run) =>
  command
    .option('-f, --follow', 'continue with new events')
    .option('--fleet', 'show events of all nodes, from etcd')
    .option('--since <duration>', 'only events that are not older', duration)
    .option(
      '-n, --limit <number>',
      `the newest so many (default: ${defaultLimit}; with --follow ${limitBeforeFollowing})`,
      limit,
    )
    .option('--node <name>', 'only of this node; repeatable', list)
    .option('--trigger <name>', 'only of this trigger; repeatable', repeated)
    .option('--stage <stage>', 'only of this stage; repeatable', among(stages))
    .option('--kind <kind>', 'only of this kind; repeatable', among([...families, ...eventKinds]))
    .action(run(events));

const events = async (session: Session, options: Options): Promise<number> => {
  const { follow = false, fleet = false, since, node, trigger, stage, kind } = options;
  const filter = { fleet: fleet ? 1 : undefined, node, trigger, stage, kind };
  const past = {
    limit: options.limit ?? (follow ? (since === undefined ? limitBeforeFollowing : maxLimit) : defaultLimit),
    since: since === undefined ? undefined : new Date(Date.now() - since).toISOString(),
  };
  const view = await session.client.request<EventsView>(`/v1/events${query({ ...filter, ...past })}`);
  const print = eventPrinter(session, fleet);
  for (const event of view.events) await print(event);
  if (follow) return followEvents(session, filter, view.cursor, print);
  if (view.events.length === 0) session.terminal.err('no such events\n');
  return 0;
};

const limit = (text: string): number => {
  const value = countFrom0(text);
  if (value > maxLimit) throw new InvalidArgumentError(`Expected at most ${maxLimit}.`);
  return value;
};

/** A trigger's name may hold commas. */
const repeated = (text: string, before: readonly string[] = []): string[] => [...before, text];

const among =
  (values: readonly string[]) =>
  (text: string, before: readonly string[] = []): string[] => {
    const given = list(text);
    const unknown = given.find((each) => !values.includes(each));
    if (unknown !== undefined) throw new InvalidArgumentError(`Expected one of ${values.join(', ')}.`);
    return [...before, ...given];
  };

/** Prints events one by one: a line for people where somebody looks, else a JSON line. */
const eventPrinter = (
  { terminal, json }: Pick<Session, 'terminal' | 'json'>,
  fleet: boolean,
): ((event: Event) => Promise<void>) => {
  const isSeen = terminal.outIsTerminal || terminal.columns !== null;
  if (json || !isSeen) return (event) => terminal.out(`${jsonText(event)}\n`);
  const paint = painter(terminal.color);
  return async (event) => {
    const canvas = { columns: terminal.columns, now: Date.now(), fleet, paint };
    await terminal.out(`${await withWidths(() => renderEvent(event, canvas))}\n`);
  };
};

/**
 * Prints what happens after `cursor` until Ctrl-C, also through a restart of the daemon: it continues behind the last event
 * printed. Throws `events-dropped` when the daemon has given us up for too slow.
 */
const followEvents = (
  session: Session,
  filter: Readonly<Record<string, string | number | readonly string[] | undefined>>,
  cursor: string,
  print: (event: Event) => Promise<void>,
): Promise<never> => {
  let after = cursor;
  return throughRestarts(
    session,
    async (heard) => {
      const events = await session.client.lines<Event>(`/v1/events/follow${query({ ...filter, after })}`);
      heard();
      for await (const event of events) {
        await print(event);
        after = event.id;
        if (event.kind === 'follow.dropped') throw new TriggerdError('events-dropped', String(event['reason']));
      }
      throw new TriggerdError('daemon-unreachable', 'the daemon closed its answer');
    },
    { heardBefore: true },
  );
};
