import type { Worker } from '../model.ts';
import { workerRow } from '../rows.ts';
import {
  type Access,
  accessTo,
  answering,
  assertMayChange,
  exists,
  given,
  inUse,
  nextId,
  notFound,
  type Rules,
  type Turn,
} from './turn.ts';

export const workerRules: Rules<'worker'> = {
  /** Workers and services share their names, because a worker's identity is a service. */
  'worker.add': (turn, { team, identity, description = '' }) => {
    const { holdings, ownership } = accessTo(turn, team);
    const { facts } = turn;
    if (holdings.workers.has(identity)) throw exists('worker', identity);
    if (holdings.services.has(identity)) throw exists('service', identity);
    const worker: Worker = {
      id: nextId(turn, team, 'worker', holdings.workers.size),
      identity,
      description,
      ...ownership,
      token_hash: facts.workerToken.hash,
      generation: 1,
      created_at: facts.now,
      updated_at: facts.now,
    };
    return withToken(turn, team, worker);
  },

  'worker.set': (turn, { team, identity, description }) => {
    const worker = { ...ownWorker(turn, team, identity).worker, ...given({ description }), updated_at: turn.facts.now };
    return { writes: [{ kind: 'worker', team, identity, record: worker }], rows: [rowOf(turn, team, worker)] };
  },

  'worker.rotate': (turn, { team, identity }) => {
    const { worker } = ownWorker(turn, team, identity);
    return withToken(turn, team, {
      ...worker,
      token_hash: turn.facts.workerToken.hash,
      generation: worker.generation + 1,
      updated_at: turn.facts.now,
    });
  },

  'worker.list': (turn, { team }) => {
    const { holdings } = accessTo(turn, team);
    return answering(byId([...holdings.workers.values()]).map((worker) => rowOf(turn, team, worker)));
  },

  'worker.delete': (turn, { team, identity }) => {
    const { access, worker } = ownWorker(turn, team, identity);
    const services = [...access.holdings.services.values()].filter(({ workers }) => workers.includes(identity));
    if (services.length > 0)
      throw inUse(`worker “${identity}” is attached to ${services.map(({ name }) => name).join(', ')}`);
    return { writes: [{ kind: 'worker', team, identity, record: null }], rows: [rowOf(turn, team, worker)] };
  },
};

/** Throws `registry-not-found`, and `registry-denied` for somebody else's. */
export const ownWorker = (turn: Turn, team: string, identity: string): { access: Access; worker: Worker } => {
  const access = accessTo(turn, team);
  const worker = access.holdings.workers.get(identity);
  if (worker === undefined) throw notFound('worker', identity);
  assertMayChange(access, worker, `worker “${identity}”`);
  return { access, worker };
};

const rowOf = ({ facts }: Turn, team: string, worker: Worker, token?: string) =>
  workerRow(worker, facts.online.get(`${team}/${worker.identity}`), token);

const withToken = (turn: Turn, team: string, worker: Worker) => {
  const { identity } = worker;
  const { token } = turn.facts.workerToken;
  return {
    writes: [{ kind: 'worker' as const, team, identity, record: worker }],
    rows: [rowOf(turn, team, worker, token)],
    notices: [
      `The token of worker ${identity} is ${token}. It is not shown again; it belongs into [workers.${team}.${identity}] of the worker’s configuration.`,
    ],
  };
};

export const byId = <Kind extends { readonly id: number }>(records: readonly Kind[]): Kind[] =>
  [...records].sort((a, b) => a.id - b.id);
