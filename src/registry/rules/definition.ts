import { counterOf } from '../hits.ts';
import type { Definition } from '../model.ts';
import { definitionRow, pathOf } from '../rows.ts';
import { type Access, accessTo, assertMayChange } from './access.ts';
import { moveWrites } from './directory.ts';
import { invalid, notFound } from './refusals.ts';
import { answering, given, nextId, type RuleContext, type Rules } from './rule-context.ts';
import { definitionNamed, freePath } from './tree.ts';
import { byId } from './worker.ts';

export const definitionRules: Rules<'definition'> = {
  'definition.add': (context, { verb: _verb, team, path, ...settings }) => {
    const access = accessTo(context, team);
    const { holdings } = access;
    const definition: Definition = {
      kind: 'definition',
      id: nextId(context, team, 'node', holdings.nodes.size),
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
      args: merged(context, {}, settings.args),
      ...positionIn(access, path),
      ...serviceIn(context, access, settings.service),
      ...access.ownership,
      created_at: context.facts.now,
      updated_at: context.facts.now,
    };
    return { writes: [{ kind: 'node', team, record: definition }], rows: [definitionRow(definition, holdings)] };
  },

  'definition.set': (context, { verb: _verb, team, name, path, ...settings }) => {
    const { access, definition } = ownDefinition(context, team, name);
    const position = path === undefined ? {} : positionIn(access, path, definition);
    const updated: Definition = {
      ...definition,
      ...given(settings),
      args: merged(context, definition.args, settings.args),
      ...position,
      ...serviceIn(context, access, settings.service),
      updated_at: context.facts.now,
    };
    return { writes: moveWrites(team, definition, updated), rows: [definitionRow(updated, access.holdings)] };
  },

  'definition.list': (context, { team }) => {
    const { holdings, maySee } = accessTo(context, team);
    const definitions = [...holdings.nodes.values()].filter((node) => node.kind === 'definition').filter(maySee);
    return answering(byId(definitions).map((definition) => definitionRow(definition, holdings)));
  },

  'definition.delete': (context, { team, name }) => {
    const { access, definition } = ownDefinition(context, team, name);
    return {
      writes: [
        { kind: 'node', team, record: null, gone: definition },
        { kind: 'no-hits', team, definition: definition.id },
      ],
      rows: [definitionRow(definition, access.holdings)],
    };
  },

  /** Answers with the triggers whose hits count. `registry.ts` writes the hits: no other process writes these counters. */
  'definition.count': (context, { team, counter, hits }) => {
    const { holdings, maySee } = accessTo(context, team);
    const own = counterOf(context.actor, counter);
    const counted = Object.keys(hits).flatMap((id) => {
      const node = holdings.nodes.get(Number(id));
      return node?.kind === 'definition' && maySee(node) && holdings.hasCapacityFor(node.id, own) ? [node] : [];
    });
    return answering(counted.map((definition) => definitionRow(definition, holdings)));
  },
};

const ownDefinition = (
  context: RuleContext,
  team: string,
  name: string,
): { access: Access; definition: Definition } => {
  const access = accessTo(context, team);
  const definition = definitionNamed(access, name);
  assertMayChange(access, definition, `trigger “${name}”`);
  return { access, definition };
};

/** Null removes an argument. Arguments that exceed the limit may stay, and become fewer. */
const merged = (
  { facts }: RuleContext,
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

/** Parent and name for this path; the definition's own path is free for itself. */
const positionIn = ({ holdings }: Access, path: string, present?: Definition): Pick<Definition, 'parent' | 'name'> => {
  if (path.lastIndexOf('/') === 0) throw invalid(`${path}: a trigger must be in a directory, such as /alarms${path}`);
  return present !== undefined && pathOf(holdings, present) === path
    ? { parent: present.parent, name: present.name }
    : freePath(holdings, path);
};

/** The service as it is kept: bare for the own team. Throws `registry-invalid` for a worker, `registry-not-found`. */
const serviceIn = (
  { registry }: RuleContext,
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
