import type { Asker, Caller, CheckedProof, ProvenRequest, WorkerProof } from '../domain/caller.ts';
import type { ServiceView } from '../domain/service.ts';

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
