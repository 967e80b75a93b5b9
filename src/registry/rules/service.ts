import type { Definition, Service } from '../model.ts';
import { pathOf, serviceRow } from '../rows.ts';
import { type Access, accessTo, assertMayChange } from './access.ts';
import { exists, inUse, notFound } from './refusals.ts';
import { answering, type Change, given, nextId, type RuleContext, type Rules } from './rule-context.ts';
import { byId, ownWorker } from './worker.ts';

export const serviceRules: Rules<'service'> = {
  'service.add': (context, { verb: _verb, team, name, ...settings }) => {
    const access = accessTo(context, team);
    if (access.holdings.services.has(name)) throw exists('service', name);
    if (access.holdings.workers.has(name)) throw exists('worker', name);
    const service: Service = {
      id: nextId(context, team, 'service', access.holdings.services.size),
      name,
      description: '',
      algorithm: 'roundrobin',
      retry: 'if-unstarted',
      timeout_ms: null,
      visibility: 'local',
      ...given(settings),
      workers: [],
      ...access.ownership,
      created_at: context.facts.now,
      updated_at: context.facts.now,
    };
    return changed(access, service);
  },

  'service.set': (context, { verb: _verb, team, name, ...settings }) => {
    const { access, service } = ownService(context, team, name);
    return changed(access, { ...service, ...given(settings), updated_at: context.facts.now });
  },

  /** The actor must own both: a worker runs what its services send. */
  'service.attach': (context, { team, name, worker: identity }) => {
    const { access, service } = ownService(context, team, name);
    ownWorker(context, team, identity);
    if (service.workers.includes(identity)) throw exists(`worker of ${name}`, identity);
    const attached = { ...service, workers: [...service.workers, identity], updated_at: context.facts.now };
    return { ...changed(access, attached), notices: attachedNotices(service) };
  },

  'service.detach': (context, { team, name, worker: identity }) => {
    const { access, service } = ownService(context, team, name);
    if (!service.workers.includes(identity)) throw notFound(`worker of ${name}`, identity);
    const workers = service.workers.filter((worker) => worker !== identity);
    return changed(access, { ...service, workers, updated_at: context.facts.now });
  },

  'service.list': (context, { team }) => {
    const access = accessTo(context, team);
    const services = [...access.holdings.services.values()].filter((service) => access.maySee(service));
    const users = usersOf(access);
    return answering(byId(services).map((service) => serviceRow(service, users.get(service.name) ?? [])));
  },

  'service.delete': (context, { team, name }) => {
    const { access, service } = ownService(context, team, name);
    const using = definitionsOf(access).filter((definition) => definition.service === name);
    if (using.length > 0) throw inUse(`service “${name}” is used by ${using.map((each) => each.name).join(', ')}`);
    return { writes: [{ kind: 'service', team, name, record: null }], rows: [serviceRow(service, [])] };
  },
};

/** Throws `registry-not-found`, also if the actor may not see it, and `registry-denied` if the actor may not change it. */
const ownService = (context: RuleContext, team: string, name: string): { access: Access; service: Service } => {
  const access = accessTo(context, team);
  const service = access.holdings.services.get(name);
  if (service === undefined || !access.maySee(service)) throw notFound('service', name);
  assertMayChange(access, service, `service “${name}”`);
  return { access, service };
};

const changed = (access: Access, service: Service): Change => ({
  writes: [{ kind: 'service', team: access.team.name, name: service.name, record: service }],
  rows: [serviceRow(service, usersOf(access).get(service.name) ?? [])],
});

const definitionsOf = ({ holdings }: Access): Definition[] =>
  [...holdings.nodes.values()].filter((node) => node.kind === 'definition');

/** Service → the paths of the definitions that use it and that the actor may see. */
const usersOf = (access: Access): Map<string, string[]> => {
  const users = new Map<string, string[]>();
  for (const definition of byId(definitionsOf(access))) {
    if (definition.service === null || !access.maySee(definition)) continue;
    const paths = users.get(definition.service) ?? [];
    paths.push(pathOf(access.holdings, definition));
    users.set(definition.service, paths);
  }
  return users;
};

/** For roundrobin, the message of triggerFS word for word. Workers announce by themselves, so it does no harm. */
const attachedNotices = ({ algorithm }: Service): string[] => [
  algorithm === 'roundrobin'
    ? 'this service has algorithm roundrobin. Roundrobin is handled by the broker. Any newly added worker to this service should reannounce its services.'
    : 'a running worker announces the service by itself, at once.',
];
