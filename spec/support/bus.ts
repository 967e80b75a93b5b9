import { curveKeyPair } from 'zeromq';
import type { BrokerLimits, BrokerObserver } from '../../src/broker/options.ts';
import { type RunningBroker, runBroker } from '../../src/daemon/compose/run-broker.ts';
import type { BrokerAddress } from '../../src/domain/broker-address.ts';
import type { Caller } from '../../src/domain/caller.ts';
import { TriggerdError } from '../../src/domain/errors.ts';
import type { RequestRecord } from '../../src/domain/request-record.ts';
import type { ServiceView } from '../../src/domain/service.ts';
import { type Log, silentLog } from '../../src/kit/log.ts';
import type { BusAccounts, BusRegistry } from '../../src/registry/bus-registry.ts';

export const testLimits: BrokerLimits = {
  maxMessage: 1_048_576,
  maxQueued: 10_000,
  maxRequests: 10_000,
  timeoutMs: 300_000,
  maxTimeoutMs: 86_400_000,
  heartbeatMs: 2_500,
};

/** Limits of a broker whose peers are those of `peers.ts`: they give no signs of life by themselves. */
export const quietPeers = { heartbeatMs: 60_000 } as const satisfies Partial<BrokerLimits>;

/**
 * Registry and accounts in memory. Users log in with the password `secret` and have the token `jwt:IDENTITY@TEAM`, which
 * needs no login either; a worker of a name that is in `workers` has the token `token`. Whatever is changed in place counts
 * at once, `changed` says so.
 */
export class FakeRegistry implements BusRegistry, BusAccounts {
  /** `team/name` → the service. */
  readonly services = new Map<string, ServiceView>();
  /** `team/identity` of workers → the number of its token. */
  readonly workers = new Map<string, number>();
  readonly refusedUsers = new Set<string>();
  /** Tokens of another broker: they have to be looked at first. */
  readonly unseen = new Set<string>();
  readonly admins = new Set<string>();
  /** Of users whom somebody else has made. */
  readonly origins = new Map<string, Caller['origin']>();
  readonly #numbers = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  worker(team: string, identity: string): this {
    this.workers.set(`${team}/${identity}`, 1);
    return this;
  }

  service(team: string, name: string, workers: readonly string[], settings: Partial<ServiceView> = {}): this {
    const defaults = { algorithm: 'roundrobin', retry: 'if-unstarted', timeoutMs: null, isWorker: false } as const;
    this.services.set(`${team}/${name}`, { team, name, ...defaults, workers, ...settings });
    return this;
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  callerOf(jwt: string): Caller | undefined {
    if (this.unseen.has(jwt)) return undefined;
    const [, identity, team] = /^jwt:([^@]+)@(.+)$/.exec(jwt) ?? [];
    if (identity === undefined || team === undefined || this.refusedUsers.has(identity))
      throw new TriggerdError('token-invalid', 'this token is not valid');
    const origin = this.origins.get(identity) ?? { user: this.#number(identity), team: this.#number(team) };
    return { identity, team, role: this.admins.has(identity) ? 'admin' : 'member', teamId: this.#number(team), origin };
  }

  #number(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size + 1;
    this.#numbers.set(name, number);
    return number;
  }

  serviceFor(caller: Caller, name: string): ServiceView {
    const [first = '', second] = name.split('/');
    const key = second === undefined ? `${caller.team}/${first}` : name;
    const service = this.services.get(key);
    if (service !== undefined) return service;
    if (!this.workers.has(key)) throw new TriggerdError('service-not-found', `no service ${name}`);
    const [team = '', worker = ''] = key.split('/');
    const own = { retry: 'if-unstarted', timeoutMs: null, isWorker: true } as const;
    return { team, name: worker, algorithm: 'roundrobin', ...own, workers: [worker] };
  }

  hasService(team: string, name: string): boolean {
    return this.services.has(`${team}/${name}`);
  }

  servicesOf(team: string, worker: string): readonly string[] | undefined {
    if (!this.workers.has(`${team}/${worker}`)) return undefined;
    const mine = [...this.services.values()].filter((service) => service.team === team);
    return mine.filter(({ workers }) => workers.includes(worker)).map(({ name }) => name);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async login({ team, identity, secret }: { team: string; identity: string; secret: string }) {
    if (secret !== 'secret') throw new TriggerdError('login-failed', 'wrong team, identity or password');
    return { jwt: `jwt:${identity}@${team}`, expiresMs: 900_000 };
  }

  async admit(jwt: string): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.unseen.delete(jwt);
  }

  async checkWorker({ team, identity, token }: { team: string; identity: string; token: string }): Promise<string> {
    const number = this.workers.get(`${team}/${identity}`);
    if (number === undefined || token !== 'token') throw new TriggerdError('worker-refused', 'the token is wrong');
    return String(number);
  }

  isWorkerCurrent(team: string, identity: string, proof: string): boolean {
    return String(this.workers.get(`${team}/${identity}`)) === proof;
  }

  async execute(caller: Caller, statement: unknown): Promise<unknown> {
    return { caller, statement };
  }
}

/** Everything that an observer may see, as lines. */
export const recordingObserver = (): BrokerObserver & { readonly lines: string[] } => {
  const lines: string[] = [];
  return {
    lines,
    requestReceived: ({ id, user, service }) => void lines.push(`received ${id} ${user} ${service}`),
    requestFinished: ({ id, result }) => void lines.push(`finished ${id} ${result}`),
    workerOnline: ({ team, identity }) => void lines.push(`online ${team}/${identity}`),
    workerOffline: ({ team, identity, reason }) => void lines.push(`offline ${team}/${identity}: ${reason}`),
    malformed: () => void lines.push('malformed'),
    refused: (code) => void lines.push(`refused ${code}`),
  };
};

export interface TestBroker {
  readonly broker: RunningBroker;
  readonly address: BrokerAddress;
  readonly registry: FakeRegistry;
  readonly records: RequestRecord[];
  readonly observer: ReturnType<typeof recordingObserver>;
  /** What `welcome` and `goodbye` name. */
  readonly brokers: BrokerAddress[];
  readonly dead: Error[];
}

/** A real broker on a real socket of this machine, with a registry in memory. */
export const startTestBroker = async (
  options: {
    readonly id?: string;
    readonly registry?: FakeRegistry;
    readonly limits?: Partial<BrokerLimits>;
    readonly listen?: string;
    readonly keys?: { readonly publicKey: string; readonly secretKey: string };
    readonly drainMs?: number;
    readonly log?: Log;
  } = {},
): Promise<TestBroker> => {
  const { id = 'broker-1', registry = new FakeRegistry(), keys = curveKeyPair() } = options;
  const records: RequestRecord[] = [];
  const brokers: BrokerAddress[] = [];
  const dead: Error[] = [];
  const observer = recordingObserver();
  const broker = await runBroker({
    id,
    listen: options.listen ?? 'tcp://127.0.0.1:0',
    secretKey: keys.secretKey,
    registry,
    accounts: registry,
    presence: { online: () => undefined, offline: () => undefined },
    history: { record: (record) => void records.push(record) },
    brokers: () => brokers,
    limits: { ...testLimits, ...options.limits },
    drainMs: options.drainMs ?? 10_000,
    observer,
    log: options.log ?? silentLog,
    onDead: (error) => void dead.push(error),
  });
  const address = { id, endpoint: broker.endpoint, key: keys.publicKey };
  brokers.push(address);
  return { broker, address, registry, records, observer, brokers, dead };
};
