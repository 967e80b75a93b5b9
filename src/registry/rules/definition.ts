import { counterOf } from '../hits.ts';
import type { Definition } from '../model.ts';
import { definitionRow, pathOf } from '../rows.ts';
import { moveWrites } from './directory.ts';
import { definitionNamed, freePath } from './tree.ts';
import {
  type Access,
  accessTo,
  answering,
  assertMayChange,
  given,
  invalid,
  nextId,
  notFound,
  type Rules,
  type Turn,
} from './turn.ts';
import { byId } from './worker.ts';

export const definitionRules: Rules<'definition'> = {
  'definition.add': (turn, { verb: _verb, team, path, ...settings }) => {
    const access = accessTo(turn, team);
    const { holdings } = access;
    const definition: Definition = {
      kind: 'definition',
      id: nextId(turn, team, 'node', holdings.nodes.size),
      description: '',
      plugin: null,
      service: null,
      timeout_ms: null,
      visibility: 'local',
      framing: 'write',
      delivery: 'async',
      durable: true,
      max_message: 1_048_576,
      deadline_ms: null,
      partial: null,
      mode: 0o644,
      ...given(settings),
      args: merged(turn, {}, settings.args),
      ...placeOf(access, path),
      ...serviceIn(turn, access, settings.service),
      ...access.ownership,
      created_at: turn.facts.now,
      updated_at: turn.facts.now,
    };
    return { writes: [{ kind: 'node', team, record: definition }], rows: [definitionRow(definition, holdings)] };
  },

  'definition.set': (turn, { verb: _verb, team, name, path, ...settings }) => {
    const { access, definition } = ownDefinition(turn, team, name);
    const place = path === undefined ? {} : placeOf(access, path, definition);
    const updated: Definition = {
      ...definition,
      ...given(settings),
      args: merged(turn, definition.args, settings.args),
      ...place,
      ...serviceIn(turn, access, settings.service),
      updated_at: turn.facts.now,
    };
    return { writes: moveWrites(team, definition, updated), rows: [definitionRow(updated, access.holdings)] };
  },

  'definition.list': (turn, { team }) => {
    const { holdings, maySee } = accessTo(turn, team);
    const definitions = [...holdings.nodes.values()].filter((node) => node.kind === 'definition').filter(maySee);
    return answering(byId(definitions).map((definition) => definitionRow(definition, holdings)));
  },

  'definition.delete': (turn, { team, name }) => {
    const { access, definition } = ownDefinition(turn, team, name);
    return {
      writes: [
        { kind: 'node', team, record: null, gone: definition },
        { kind: 'no-hits', team, definition: definition.id },
      ],
      rows: [definitionRow(definition, access.holdings)],
    };
  },

  /** Answers with the triggers whose hits count; they are written outside, as nobody else writes these counters (`hits.ts`). */
  'definition.count': (turn, { team, counter, hits }) => {
    const { holdings, maySee } = accessTo(turn, team);
    const own = counterOf(turn.actor, counter);
    const counted = Object.keys(hits).flatMap((id) => {
      const node = holdings.nodes.get(Number(id));
      return node?.kind === 'definition' && maySee(node) && holdings.hasCapacityFor(node.id, own) ? [node] : [];
    });
    return answering(counted.map((definition) => definitionRow(definition, holdings)));
  },
};

const ownDefinition = (turn: Turn, team: string, name: string): { access: Access; definition: Definition } => {
  const access = accessTo(turn, team);
  const definition = definitionNamed(access, name);
  assertMayChange(access, definition, `trigger “${name}”`);
  return { access, definition };
};

/** Null takes a name away. What was too large before there was a limit may stay, and become smaller. */
const merged = (
  { facts }: Turn,
  present: Definition['args'],
  changes: Readonly<Record<string, string | null>> = {},
): Record<string, string> => {
  const entries = Object.entries({ ...present, ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  if (entries.length > maxArguments) throw invalid(`a trigger can have at most ${maxArguments} arguments`);
  const args = Object.fromEntries(entries);
  const bytes = argumentBytes(args);
  if (bytes > facts.argumentBytes && bytes >= argumentBytes(present) && Object.keys(changes).length > 0)
    throw invalid(`args have ${bytes} bytes; ${facts.argumentBytes} are allowed`);
  return args;
};
const maxArguments = 64;

const argumentBytes = (args: Definition['args']): number =>
  Object.entries(args).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);

/** Where it is to be; the place that it has is free for itself. */
const placeOf = ({ holdings }: Access, path: string, present?: Definition): Pick<Definition, 'parent' | 'name'> => {
  if (path.lastIndexOf('/') === 0) throw invalid(`${path}: a trigger must be in a directory, such as /alarms${path}`);
  return present !== undefined && pathOf(holdings, present) === path
    ? { parent: present.parent, name: present.name }
    : freePath(holdings, path);
};

/** The service as it is kept: bare for the own team. Throws `registry-invalid` for a worker, `registry-not-found`. */
const serviceIn = (
  { registry }: Turn,
  access: Access,
  service: string | null | undefined,
): { readonly service?: string | null } => {
  if (service === undefined || service === null) return {};
  const [first = '', second] = service.split('/');
  const [team, name] = second === undefined ? [access.team.name, first] : [first, second];
  if (team === access.team.name) {
    const found = access.holdings.services.get(name);
    if (found !== undefined && access.maySee(found)) return { service: name };
    if (access.holdings.workers.has(name)) throw invalid(`“${name}” is a worker; name a service`);
  } else if (registry.holdings(team).services.get(name)?.visibility === 'public') {
    return { service };
  }
  throw notFound('service', service);
};
