/** Requests from inside the job of another request: on whose behalf they are made, and which services all these users may use. */
import type { FromJob, RequestHead } from '../bus/messages.ts';
import type { Behalf, Caller, CheckedProof } from '../domain/caller.ts';
import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
import type { ServiceView } from '../domain/service.ts';
import { targetOf } from '../domain/target.ts';
import type { BusRegistry } from '../registry/bus-registry.ts';
import { type BrokerOptions, maxHops } from './options.ts';
import type { Request } from './request.ts';

export interface BehalfOptions extends Pick<BrokerOptions, 'registry' | 'proofs'> {
  /** Finds an open request of this broker. */
  readonly find: (id: string) => Request | undefined;
}

/** Null: nobody has asked for the job, or its machine asks for itself. Throws `proof-invalid`, `request-invalid`. */
export const behalfOf = (options: BehalfOptions, { proof, chain }: RequestHead & FromJob): Behalf | null => {
  if (proof === undefined) return null;
  if (options.proofs === undefined) throw invalid();
  const checked = options.proofs.check(proof);
  if (checked.isOurs && !isRunning(options, checked)) throw invalid();
  // The recorded chain must be the one that led here.
  if (chain.at(-1) !== checked.id) throw invalid();
  const depth = checked.depth + 1;
  if (depth > maxHops) throw new TriggerdError('request-invalid', `hop limit reached: ${chain.join(' → ')}`);
  const { askers, callers, endsAt } = checked;
  return { askers, callers, depth, endsAt };
};

/**
 * The service that is asked for, if everybody on the way to it may ask for it. To one of them a service that another one
 * may not see does not exist: the same words for all. Throws `service-not-found`.
 */
export const serviceForAll = (
  options: BehalfOptions,
  caller: Caller,
  head: RequestHead & FromJob,
  behalf: Behalf | null,
): ServiceView => {
  const { registry } = options;
  const others = behalf?.callers ?? callersOfParent(options, caller, head);
  const service = registry.serviceFor(caller, head.service);
  for (const other of others) assertMayAsk(registry, other, service, head.service);
  return service;
};

/**
 * A worker of before sends no proof, but its request says which one it comes from. Where that one lives here it is known
 * who asked for it, and what is refused to them is refused. Whoever makes a chain up has fewer rights by it, never more.
 */
const callersOfParent = (
  { find, proofs }: BehalfOptions,
  { identity, team }: Caller,
  { chain, own }: RequestHead & FromJob,
): readonly Caller[] => {
  const parent = own === true ? undefined : find(chain.at(-1) ?? '');
  if (parent === undefined || proofs === undefined) return [];
  const isSame = parent.user === identity && parent.team === team;
  return [...(isSame ? [] : [parent.caller]), ...(parent.behalf?.callers ?? [])];
};

const assertMayAsk = (registry: BusRegistry, caller: Caller, { team, name }: ServiceView, asked: string): void => {
  try {
    registry.serviceFor(caller, targetOf(team, name));
  } catch (thrown) {
    if (!(thrown instanceof TriggerdError) || thrown.code !== 'service-not-found') throw thrown;
    throw new TriggerdError('service-not-found', `there is no service “${printable(asked)}”`);
  }
};

/** Whether the worker still has the request: a proof ends with the job that it was made for. */
const isRunning = ({ find }: BehalfOptions, { id, worker, askers }: CheckedProof): boolean => {
  const request = find(id);
  const last = askers.at(-1);
  if (request === undefined || request.user !== last?.identity || request.team !== last.team) return false;
  return request.legs.some(
    ({ state }) => state.kind === 'sent' && targetOf(request.service.team, state.worker) === worker,
  );
};

const invalid = (): TriggerdError => new TriggerdError('proof-invalid', 'the proof of the job’s user is not valid');
