import type { Asker, Caller, CheckedProof, ProvenRequest, WorkerProof } from '../domain/caller.ts';
import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
import type { ServiceView } from '../domain/service.ts';
import { BoundedMap } from '../kit/bounded-map.ts';
import type { Clock } from '../kit/clock.ts';
import type { Mirror } from './mirror.ts';
import type { Service, Worker } from './model.ts';
import type { CheckedToken } from './ports.ts';
import type { Ownership } from './rules/access.ts';
import { originOf } from './rules/limits.ts';
import { type RegistryState, roleIn } from './snapshot.ts';

/** Tokens whose signature was checked and is remembered. A forgotten token is checked again. */
const maxTokens = 10_000;

/** The registry as a broker looks at it: from memory, as of the last change that the watch has told of. */
export class MirroredRegistry implements BusRegistry {
  readonly #mirror: Mirror;
  readonly #clock: Clock;
  /** In the order of admission, which is nearly the order in which they expire. */
  readonly #tokens = new BoundedMap<string, CheckedToken>(maxTokens);
  /** Team → worker → names of services; built again after each change. */
  readonly #attachments = new Map<string, ReadonlyMap<string, readonly string[]>>();

  constructor(mirror: Mirror, clock: Clock) {
    this.#mirror = mirror;
    this.#clock = clock;
    mirror.onChange(() => this.#attachments.clear());
  }

  /** Throws `etcd-unreachable` until it has been read for the first time. */
  get state(): RegistryState {
    const { state } = this.#mirror;
    if (state === undefined) throw new TriggerdError('etcd-unreachable', 'the registry has not been read yet');
    return state;
  }

  callerOf(jwt: string): Caller | undefined {
    const token = this.#tokens.get(jwt);
    if (token === undefined) return undefined;
    try {
      return this.#callerOf(token);
    } catch (error) {
      // An invalid token never becomes valid again.
      this.#tokens.delete(jwt);
      throw error;
    }
  }

  /** Keeps a token whose signature was checked. Throws `token-invalid` for one that has expired all the same. */
  remember(jwt: string, token: CheckedToken): Caller {
    const caller = this.#callerOf(token);
    this.#tokens.set(jwt, token);
    return caller;
  }

  serviceFor(caller: Caller, name: string): ServiceView {
    const [first = '', second, ...more] = name.split('/');
    const [team, service] = second === undefined ? [caller.team, first] : [first, second];
    const view = more.length === 0 ? this.#serviceFor(caller, team, service) : undefined;
    if (view === undefined) throw new TriggerdError('service-not-found', `there is no service “${printable(name)}”`);
    return view;
  }

  hasService(team: string, name: string): boolean {
    return this.state.holdings(team).services.has(name);
  }

  servicesOf(team: string, worker: string): readonly string[] | undefined {
    if (!this.state.holdings(team).workers.has(worker)) return undefined;
    return this.#attachmentsIn(team).get(worker) ?? [];
  }

  onChange(listener: () => void): () => void {
    return this.#mirror.onChange(listener);
  }

  /** The member with the present role; undefined if user, membership or team is gone, replaced or revoked. */
  memberOf({ identity, userId, team: name, teamId, generation }: Asker): Caller | undefined {
    const team = this.state.teams.get(name);
    const user = this.state.users.get(identity);
    const role = team === undefined ? undefined : roleIn(team, identity);
    const isSame = team?.id === teamId && user?.id === userId && user.generation === generation;
    if (!isSame || user.disabled || role === undefined) return undefined;
    return { identity, team: name, role, teamId, origin: originOf(this.state, user) };
  }

  #callerOf(token: CheckedToken): Caller {
    const { kid, audience, endsAt } = token;
    const { state } = this;
    const isInForce = endsAt > this.#clock.now() && audience === audienceOf(state) && state.issuers.has(kid);
    const caller = isInForce ? this.memberOf(token) : undefined;
    if (caller === undefined) throw new TriggerdError('token-invalid', 'the token is not valid');
    return token.isLimited === true ? { ...caller, isLimited: true } : caller;
  }

  #serviceFor(caller: Caller, team: string, name: string): ServiceView | undefined {
    const { services, workers } = this.state.holdings(team);
    const service = services.get(name);
    if (service !== undefined && this.#maySee(caller, team, service, service.visibility)) return viewOf(team, service);
    const worker = workers.get(name);
    return worker !== undefined && this.#maySee(caller, team, worker, 'local') ? viewOfWorker(team, worker) : undefined;
  }

  #maySee(caller: Caller, team: string, owned: Ownership, visibility: Service['visibility']): boolean {
    if (visibility === 'public') return true;
    if (team !== caller.team) return false;
    if (visibility === 'team' || caller.role === 'admin') return true;
    return this.state.users.get(caller.identity)?.id === owned.owner_id;
  }

  #attachmentsIn(team: string): ReadonlyMap<string, readonly string[]> {
    const known = this.#attachments.get(team);
    if (known !== undefined) return known;
    const attachments = new Map<string, string[]>();
    for (const { name, workers } of this.state.holdings(team).services.values())
      for (const worker of workers) {
        const services = attachments.get(worker);
        if (services === undefined) attachments.set(worker, [name]);
        else services.push(name);
      }
    this.#attachments.set(team, attachments);
    return attachments;
  }
}

/** The audience of tokens: brokers of this installation only. Undefined before `trigger admin init`. */
export const audienceOf = ({ installation }: Pick<RegistryState, 'installation'>): string | undefined =>
  installation === undefined ? undefined : `triggerd:${installation.id}`;

const viewOf = (team: string, { name, algorithm, retry, timeout_ms, workers }: Service): ServiceView => ({
  team,
  name,
  algorithm,
  retry,
  timeoutMs: timeout_ms,
  workers,
  isWorker: false,
});

const viewOfWorker = (team: string, { identity }: Worker): ServiceView => ({
  team,
  name: identity,
  algorithm: 'roundrobin',
  retry: 'if-unstarted',
  timeoutMs: null,
  workers: [identity],
  isWorker: true,
});

/** The registry, read from memory. Nothing waits here; nothing throws but `TriggerdError`. */
export interface BusRegistry {
  /**
   * Who has this token. Undefined: its signature has not been checked here yet; `BusAccounts.admit` does, then ask again.
   * Throws `token-invalid` for one that has expired, whose user, membership or team is gone, or that was revoked.
   */
  callerOf(jwt: string): Caller | undefined;
  /**
   * What `name` or `team/name` means for this caller. Throws `service-not-found` also where the caller may not see it: a
   * stranger can't tell the two apart.
   */
  serviceFor(caller: Caller, name: string): ServiceView;
  hasService(team: string, name: string): boolean;
  /** Names of the services that a worker is attached to; undefined when there is no such worker. */
  servicesOf(team: string, worker: string): readonly string[] | undefined;
  /** Called after every change, with nothing: look again at what you need. Returns how to stop that. */
  onChange(listener: () => void): () => void;
}

/** Proofs of who asked for a job, for requests from inside that job. See docs/reference/bus.md. */
export interface BusProofs {
  /** The caller by numbers. Throws `token-invalid` if the user is gone. */
  askerOf(caller: Caller): Asker;
  /** A proof of this request; undefined while no other broker could check it, or if the worker is gone. */
  prove(request: ProvenRequest): string | undefined;
  /** Throws `proof-invalid`, for whatever reason with the same message. */
  check(sealed: string): CheckedProof;
}

/** The registry's questions that take time: hashes are checked, etcd is written. */
export interface BusAccounts {
  /** A password for a JWT that lives so long, within limits. Throws `login-failed`, `too-many-attempts`. */
  login(attempt: {
    readonly team: string;
    readonly identity: string;
    readonly secret: string;
    readonly ttlMs?: number;
  }): Promise<{
    readonly jwt: string;
    readonly expiresMs: number;
  }>;
  /**
   * Checks a token that `callerOf` does not know: one of another broker, or one that a person wrote down. Throws
   * `token-invalid`. Tokens of one peer are admitted in the order in which they were asked about.
   */
  admit(jwt: string): Promise<void>;
  /** Throws `worker-refused`. */
  checkWorker(claim: {
    readonly team: string;
    readonly identity: string;
    readonly token: string;
  }): Promise<WorkerProof>;
  /** Whether the token that this worker proved itself by is still the right one: asked after every change. */
  isWorkerCurrent(team: string, identity: string, proof: WorkerProof): boolean;
  /** A statement of the registry (`src/registry/statements.ts`), checked and carried out for this caller. */
  execute(caller: Caller, statement: unknown, seen?: string): Promise<unknown>;
}
