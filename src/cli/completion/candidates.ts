/**
 * `trigger __complete WORD…`: what the last word may become, one candidate a line, its meaning after a tab. The lines
 * `:files` and `:commands` leave it to the shell to add its own.
 */
import { type Argument, type Command, Option } from 'commander';
import { visible } from '../../kit/text.ts';
import { findTeam } from '../registry/find-team.ts';
import { daemonClient } from '../support/http-client.ts';
import { findSocketPath } from '../support/socket-path.ts';
import { optionNamed, optionsOf, type Place, walk } from './place.ts';
import { askFor, type Candidate, type ValueKind } from './values.ts';

/** Whoever presses TAB waits no longer than this for the daemon. */
const patienceMs = 1000;

export const printCandidates = async (words: readonly string[]): Promise<number> => {
  const last = words.at(-1) ?? '';
  const place = await walk(words.slice(0, -1));
  const { start, wanted } = wantedAt(place, last);
  const candidates = (await Promise.all(wanted.map((each) => candidatesOf(each, place)))).flat();
  // The shell shows them on a terminal.
  const fitting = candidates
    .filter(({ value }) => visible(value) === value)
    .filter(({ value }) => value.startsWith(':') || `${start}${value}`.startsWith(last));
  const lines = fitting.map(({ value, about }) =>
    value.startsWith(':') ? value : `${start}${value}\t${visible(about)}`,
  );
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
};

type Wanted = Option | Argument | 'verbs' | 'options';

/** `start`: the part of the last word that stays, as in `--host=` and `--host a,`. */
const wantedAt = (place: Place, last: string): { start: string; wanted: readonly Wanted[] } => {
  const { command, args, option, optionsAreOver } = place;
  if (option !== undefined) return { start: listStart(option, last), wanted: [option] };
  if (last.startsWith('-') && !optionsAreOver) {
    const at = last.indexOf('=') + 1;
    const found = at === 0 ? undefined : optionNamed(command, last.slice(0, at - 1));
    if (found === undefined) return { start: '', wanted: ['options'] };
    return { start: last.slice(0, at) + listStart(found, last.slice(at)), wanted: [found] };
  }
  const expected = command.registeredArguments;
  const argument = expected[args.length] ?? (expected.at(-1)?.variadic === true ? expected.at(-1) : undefined);
  const verbs: Wanted[] = args.length === 0 && !optionsAreOver ? ['verbs'] : [];
  return { start: '', wanted: argument === undefined ? verbs : [...verbs, argument] };
};

const listStart = (option: Option, value: string): string =>
  option.long === '--host' ? value.slice(0, value.lastIndexOf(',') + 1) : '';

const candidatesOf = async (wanted: Wanted, place: Place): Promise<Candidate[]> => {
  if (wanted === 'verbs') return place.command.commands.map((verb) => ({ value: verb.name(), about: verb.summary() }));
  if (wanted === 'options')
    return optionsOf(place.command).map(({ long, short, description }) => ({
      value: long ?? short ?? '',
      about: description,
    }));
  if (wanted.argChoices !== undefined) return wanted.argChoices.map((value) => ({ value, about: '' }));
  const kind = kindOf(wanted, place.command);
  if (kind === undefined) return [];
  if (kind === ':files' || kind === ':commands') return [{ value: kind, about: '' }];
  if (kind === ':conditions') return usualConditions;
  return ask(kind, place);
};

/** A shell inserts them unquoted: none with < or >. */
const usualConditions: Candidate[] = [
  { value: 'result=failed', about: 'ran and failed' },
  { value: 'result!=succeeded', about: 'did not succeed' },
  { value: 'exit_code!=0', about: 'another exit code than 0, or none' },
  { value: 'reason!=', about: 'gave a reason' },
];

/** Nobody who presses TAB wants to read why there is nothing. */
const ask = async (kind: ValueKind, { given }: Place): Promise<Candidate[]> => {
  const socket = () => findSocketPath(given.get('socket'), given.get('config'), process.env);
  const signal = AbortSignal.timeout(patienceMs);
  const client = daemonClient(socket, signal);
  const named = given.get('team');
  const whose = { client, configFile: given.get('config'), env: process.env };
  const team = () => findTeam(whose, named === undefined ? {} : { team: named });
  return askFor(kind, { client, signal, queue: given.get('queue'), team }).catch(() => []);
};

/** Which values an option or an argument takes. */

type Kind = ValueKind | ':files' | ':commands' | ':conditions';

const kindOfOption: Readonly<Record<string, Kind>> = {
  '--queue': 'queues',
  '--host': 'nodes',
  '--node': 'nodes',
  '--plugin': 'plugins',
  '--after': 'jobs',
  '--if-ok': 'jobs',
  '--team': 'team',
  '--service': 'service',
  '--worker': 'worker',
  '--owner': 'user',
  '--config': ':files',
  '--on-finish': ':commands',
  '--socket': ':files',
  '--filter-replies': ':conditions',
  '--dir': ':files',
};

/** By the argument's name. */
const kindOfArgument: Readonly<Record<string, Kind>> = {
  id: 'jobs',
  a: 'jobs',
  b: 'jobs',
  firing: 'firings',
  request: 'requests',
  node: 'nodes',
  // Of `why`; what people ask about most.
  what: 'nodes',
  plugin: 'plugins',
  worker: 'worker',
  service: 'service',
  definition: 'definition',
  directory: 'directory',
  team: 'team',
  user: 'user',
  file: ':files',
  command: ':commands',
};

/** What completes an option's value, or an argument of a command; which jobs, by the verb. */
const kindOf = (wanted: Option | Argument, command: Command): Kind | undefined => {
  if (wanted instanceof Option) return kindOfOption[wanted.long ?? ''];
  const kind = kindOfArgument[wanted.name()];
  if (kind === 'jobs') return jobsFor[command.name()] ?? kind;
  // What is to be made has no name yet.
  return command.name() === 'add' && kind === wanted.name() ? undefined : kind;
};

const jobsFor: Readonly<Record<string, ValueKind>> = {
  kill: 'running',
  remove: 'queued',
  urgent: 'queued',
  swap: 'queued',
  retry: 'ended',
};
