import type { Worker } from '../model.ts';
import { workerRow } from '../rows.ts';
import { type Access, accessTo, assertMayChange } from './access.ts';
import { exists, inUse, notFound } from './refusals.ts';
import { answering, given, nextId, type RuleContext, type Rules } from './rule-context.ts';

export const workerRules: Rules<'worker'> = {
  /** Workers and services share their names, because a worker's identity is a service. */
  'worker.add': (context, { team, identity, description = '' }) => {
    const { holdings, ownership } = accessTo(context, team);
    const { facts } = context;
    if (holdings.workers.has(identity)) throw exists('worker', identity);
    if (holdings.services.has(identity)) throw exists('service', identity);
    const worker: Worker = {
      id: nextId(context, team, 'worker', holdings.workers.size),
      identity,
      description,
      ...ownership,
      token_hash: facts.workerToken.hash,
      generation: 1,
      created_at: facts.now,
      updated_at: facts.now,
    };
    return withToken(context, team, worker);
  },

  'worker.set': (context, { team, identity, description }) => {
    const worker = {
      ...ownWorker(context, team, identity).worker,
      ...given({ description }),
      updated_at: context.facts.now,
    };
    return { writes: [{ kind: 'worker', team, identity, record: worker }], rows: [rowOf(context, team, worker)] };
  },

  'worker.rotate': (context, { team, identity }) => {
    const { worker } = ownWorker(context, team, identity);
    return withToken(context, team, {
      ...worker,
      token_hash: context.facts.workerToken.hash,
      generation: worker.generation + 1,
      updated_at: context.facts.now,
    });
  },

  'worker.list': (context, { team }) => {
    const { holdings } = accessTo(context, team);
    return answering(byId([...holdings.workers.values()]).map((worker) => rowOf(context, team, worker)));
  },

  'worker.delete': (context, { team, identity }) => {
    const { access, worker } = ownWorker(context, team, identity);
    const services = [...access.holdings.services.values()].filter(({ workers }) => workers.includes(identity));
    if (services.length > 0)
      throw inUse(`worker “${identity}” is attached to ${services.map(({ name }) => name).join(', ')}`);
    return { writes: [{ kind: 'worker', team, identity, record: null }], rows: [rowOf(context, team, worker)] };
  },
};

/** Throws `registry-not-found`, and `registry-denied` if the actor may not change the worker. */
export const ownWorker = (context: RuleContext, team: string, identity: string): { access: Access; worker: Worker } => {
  const access = accessTo(context, team);
  const worker = access.holdings.workers.get(identity);
  if (worker === undefined) throw notFound('worker', identity);
  assertMayChange(access, worker, `worker “${identity}”`);
  return { access, worker };
};

const rowOf = ({ facts }: RuleContext, team: string, worker: Worker, token?: string) =>
  workerRow(worker, facts.online.get(`${team}/${worker.identity}`), token);

const withToken = (context: RuleContext, team: string, worker: Worker) => {
  const { identity } = worker;
  const { token } = context.facts.workerToken;
  return {
    writes: [{ kind: 'worker' as const, team, identity, record: worker }],
    rows: [rowOf(context, team, worker, token)],
    notices: [
      `The token of worker ${identity} is ${token}. It is not shown again; it belongs into [workers.${team}.${identity}] of the worker’s configuration.`,
    ],
  };
};

export const byId = <Kind extends { readonly id: number }>(records: readonly Kind[]): Kind[] =>
  [...records].sort((a, b) => a.id - b.id);
