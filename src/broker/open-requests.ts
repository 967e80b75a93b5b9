/** Lists and cancels open requests: users may see and cancel their own, admins those of their team, root all. */

import { isCount, isFields, isName, isRequestId } from '../bus/codec/check.ts';
import type { Caller } from '../domain/caller.ts';
import { TriggerdError } from '../domain/errors.ts';
import type {
  LiveRequest,
  LiveRequests,
  RequestChoice,
  RequestFilter,
  RequestStatement,
} from '../domain/live-request.ts';
import { printable } from '../domain/names.ts';
import { commandOf, holderOf, type Request, nameOf as userName } from './request.ts';
import type { Requests } from './requests.ts';

/** `local`: a caller on the control socket; team null: all teams. `by`: the name that a cancelled request shows. */
export type RequestActor =
  | { readonly kind: 'local'; readonly team: string | null; readonly by: string }
  | { readonly kind: 'user'; readonly caller: Caller };

export interface OpenRequestsOptions {
  readonly id: string;
  readonly requests: Requests;
  readonly clock: { now(): number; date(): number };
}

const most = 1_000;

export class OpenRequests {
  readonly #options: OpenRequestsOptions;

  constructor(options: OpenRequestsOptions) {
    this.#options = options;
  }

  list(actor: RequestActor, filter: RequestFilter): LiveRequests {
    return this.#shown(actor, this.#those(actor, filter), filter.limit);
  }

  /** Cancels requests and returns them. Throws `request-not-found`, also for requests that the actor may not see. */
  cancel(actor: RequestActor, choice: RequestChoice): LiveRequests {
    const chosen = this.#those(actor, choice);
    if (chosen.length === 0) throw new TriggerdError('request-not-found', `${nameOf(choice)} at this broker`);
    const by = actor.kind === 'local' ? actor.by : userName(actor.caller);
    const shown = this.#shown(actor, chosen);
    for (const request of chosen) this.#options.requests.end(request, by);
    return shown;
  }

  #those(actor: RequestActor, { request: id, user, service }: RequestFilter): Request[] {
    const all = id === undefined ? [...this.#options.requests.all()] : [this.#options.requests.find(id) ?? []].flat();
    return all.filter(
      (request) =>
        mayAccess(actor, request) &&
        (user === undefined || request.user === user || holderOf(request).identity === user) &&
        (service === undefined || (request.service.name === service && isInside(actor, request))),
    );
  }

  #shown(actor: RequestActor, requests: readonly Request[], limit = most): LiveRequests {
    const shown = requests.slice(0, limit);
    return { rows: shown.map((request) => this.#view(actor, request)), more: requests.length - shown.length };
  }

  #view(actor: RequestActor, request: Request): LiveRequest {
    const { identity: user, team } = holderOf(request);
    const { id, service, head, payload, receivedAt, deadlineAt, bytes, cancelled } = request;
    const { clock } = this.#options;
    const workers = request.legs.flatMap(({ state }) => (state.kind === 'sent' ? state.worker : []));
    return {
      id,
      broker: this.#options.id,
      team,
      user,
      // A team may see that its users hold something in other teams, but not what.
      ...(isInside(actor, request)
        ? { service: service.name, service_team: service.team, plugin: head.plugin, command: commandOf(payload) }
        : { service: '', service_team: '', plugin: '', command: '' }),
      state: cancelled !== null ? 'cancelled' : workers.length > 0 ? 'running' : 'waiting',
      workers,
      received_at: new Date(receivedAt).toISOString(),
      expires_at: new Date(clock.date() + deadlineAt - clock.now()).toISOString(),
      bytes,
    };
  }
}

const mayAccess = (actor: RequestActor, request: Request): boolean => {
  const { caller: asker } = request;
  if (actor.kind === 'local') return actor.team === null || isInside(actor, request);
  const { identity, team, teamId, role } = actor.caller;
  if (role !== 'admin') return asker.identity === identity && asker.team === team;
  return isInside(actor, request) || holderOf(request).origin.team === teamId;
};

/** Whether it was asked in the actor's team, by whoever asked first or last, or of one of its services. */
const isInside = (actor: RequestActor, request: Request): boolean => {
  const team = actor.kind === 'local' ? actor.team : actor.caller.team;
  return team === null || [request, holderOf(request), request.service].some((each) => each.team === team);
};

const nameOf = (choice: RequestChoice): string =>
  'request' in choice
    ? `no request ${choice.request} waits or runs`
    : `no request of “${printable(choice.user)}” waits or runs`;

/** A statement of a user; undefined: it is one of the registry. Throws `registry-invalid`, `registry-not-found`. */
export const requestStatement = ({ team }: Caller, input: unknown): RequestStatement | undefined => {
  if (!isFields(input) || (input['verb'] !== 'request.list' && input['verb'] !== 'request.cancel')) return undefined;
  const { verb, team: named, request, user, service, limit, ...more } = input;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw invalid(`${printable(unknown)} is not a known field`);
  if (typeof named !== 'string') throw invalid('team must be a name');
  if (named !== team) throw new TriggerdError('registry-not-found', `there is no team “${printable(named)}”`);
  if (request !== undefined && !isRequestId(request)) throw invalid('request must be an ID');
  if (user !== undefined && !isName(user)) throw invalid('user must be a name');
  if (verb === 'request.cancel') {
    if (service !== undefined || limit !== undefined) throw invalid('only a request or a user can be cancelled');
    if (request !== undefined && user === undefined) return { verb, team, request };
    if (user !== undefined && request === undefined) return { verb, team, user };
    throw invalid('name a request or a user, not both');
  }
  if (service !== undefined && !isName(service)) throw invalid('service must be a name');
  if (limit !== undefined && !(isCount(limit) && limit >= 1 && limit <= most))
    throw invalid(`limit must be a whole number from 1 to ${most}`);
  return {
    verb: 'request.list',
    team,
    ...(request === undefined ? {} : { request }),
    ...(user === undefined ? {} : { user }),
    ...(service === undefined ? {} : { service }),
    ...(limit === undefined ? {} : { limit }),
  };
};

const invalid = (message: string): TriggerdError => new TriggerdError('registry-invalid', message);
