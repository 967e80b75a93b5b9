import type { Caller } from '../domain/caller.ts';
import { TriggerdError } from '../domain/errors.ts';
import { isRegistryName } from '../domain/names.ts';
import type { Clock } from '../kit/clock.ts';
import { LimitedLog } from '../kit/limited-log.ts';
import type { Log } from '../kit/log.ts';
import { Attempts } from './attempts.ts';
import { audienceOf, type BusAccounts, type MirroredRegistry } from './bus-registry.ts';
import type { Team, User, Worker } from './model.ts';
import type { Passwords, TokenChecker, TokenIssuer, WorkerTokens } from './ports.ts';
import type { Registry } from './registry.ts';
import { roleIn } from './snapshot.ts';

export interface AccountsOptions {
  readonly registry: Registry;
  readonly mirrored: MirroredRegistry;
  readonly passwords: Passwords;
  readonly tokens: WorkerTokens;
  readonly issuer: TokenIssuer;
  readonly checker: TokenChecker;
  readonly clock: Clock;
  readonly log: Log;
}

/** No password is longer, so a longer one is not hashed. */
const maxSecretBytes = 1_024;
/** Logins that may wait: those of one identity run one after the other, so that no guess overtakes another. */
const maxWaiting = 1_000;

/**
 * Who is who on the bus. Whatever is wrong with a login, a worker or a token, the answer is the same, and takes as long.
 * Guesses are counted per identity, in whatever team they are made: it is one password. The broker counts those of a
 * connection. A worker's token can't be guessed, so nobody can slow a worker down by guessing in its name.
 */
export class Accounts implements BusAccounts {
  readonly #options: AccountsOptions;
  readonly #attempts: Attempts;
  readonly #limited: LimitedLog;
  readonly #lastLogins = new Map<string, Promise<unknown>>();
  #waiting = 0;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options.clock);
    this.#limited = new LimitedLog(options.log, () => options.clock.now());
  }

  async login(attempt: Parameters<BusAccounts['login']>[0]): ReturnType<BusAccounts['login']> {
    // All invalid names share one count.
    const key = isRegistryName(attempt.identity) ? attempt.identity : '';
    return this.#oneAtATime(key, () => this.#login(attempt, key));
  }

  async admit(jwt: string): Promise<void> {
    const { checker, mirrored } = this.#options;
    const { state } = mirrored;
    const audience = audienceOf(state);
    if (audience === undefined) throw new TriggerdError('token-invalid', 'the token is not valid');
    mirrored.remember(jwt, await checker.check(jwt, audience, state.issuers));
  }

  async checkWorker({ team, identity, token }: Parameters<BusAccounts['checkWorker']>[0]): Promise<string> {
    const worker = this.#worker(team, identity);
    const fits = this.#options.tokens.fits(token, worker?.token_hash ?? '');
    if (worker === undefined || !fits)
      throw new TriggerdError('worker-refused', 'wrong team, identity or token of this worker');
    return workerProofOf(worker);
  }

  isWorkerCurrent(team: string, identity: string, proof: string): boolean {
    const worker = this.#worker(team, identity);
    return worker !== undefined && workerProofOf(worker) === proof;
  }

  async execute({ identity, team, isLimited }: Caller, statement: unknown, seen?: string): Promise<unknown> {
    if (isLimited === true && changesAccounts(statement))
      throw new TriggerdError(
        'registry-denied',
        'a token of `trigger login` cannot change users and teams; log in with the password',
      );
    return this.#options.registry.execute({ kind: 'user', identity, team }, statement, seen);
  }

  async #login({ team, identity, secret, ttlMs }: Parameters<BusAccounts['login']>[0], key: string) {
    const { issuer, mirrored, clock } = this.#options;
    if (!mirrored.state.issuers.has(issuer.kid))
      throw new TriggerdError('etcd-unreachable', 'the key of this broker’s tokens is not published yet');
    this.#attempts.assertMayTry(key);
    const member = await this.#memberWith(team, identity, secret);
    if (member === undefined) {
      this.#failed(key);
      throw new TriggerdError('login-failed', 'wrong team, identity or password');
    }
    this.#attempts.succeeded(key);
    const claims = {
      identity,
      userId: member.user.id,
      team,
      teamId: member.team.id,
      generation: member.user.generation,
      ...(ttlMs === undefined ? {} : { isLimited: true }),
    };
    const { jwt, checked } = await issuer.issue(claims, audienceOf(mirrored.state) ?? '', ttlMs);
    mirrored.remember(jwt, checked);
    return { jwt, expiresMs: checked.endsAt - clock.now() };
  }

  /** Logs the name only, never what was presented. */
  #failed(who: string): void {
    if (this.#attempts.failed(who))
      this.#limited.warn(who, { who }, 'Too many logins have failed; further ones must wait');
  }

  async #memberWith(team: string, identity: string, secret: string) {
    const { passwords } = this.#options;
    const known = this.#member(team, identity);
    const isTooLong = Buffer.byteLength(secret) > maxSecretBytes;
    const fits =
      known === undefined || isTooLong
        ? await passwords.pretend(isTooLong ? '' : secret)
        : await passwords.verify(known.user.secret_hash, secret);
    if (!fits) return undefined;
    // The password may have changed meanwhile.
    const now = this.#member(team, identity);
    return now?.user.secret_hash === known?.user.secret_hash ? now : undefined;
  }

  #member(name: string, identity: string): { readonly team: Team; readonly user: User } | undefined {
    const { state } = this.#options.mirrored;
    const team = state.teams.get(name);
    const user = state.users.get(identity);
    if (team === undefined || user === undefined || user.disabled) return undefined;
    return roleIn(team, identity) === undefined ? undefined : { team, user };
  }

  #worker(team: string, identity: string): Worker | undefined {
    return this.#options.mirrored.state.holdings(team).workers.get(identity);
  }

  async #oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= maxWaiting)
      throw new TriggerdError('too-many-attempts', 'too many logins at the same time; try again in 1 s', {
        details: { retry_after_ms: 1_000 },
      });
    this.#waiting++;
    const login = (this.#lastLogins.get(key) ?? Promise.resolve()).then(work);
    const settled = login.catch(() => undefined);
    this.#lastLogins.set(key, settled);
    try {
      return await login;
    } finally {
      this.#waiting--;
      if (this.#lastLogins.get(key) === settled) this.#lastLogins.delete(key);
    }
  }
}

/** Names a worker and its token: a later namesake has another number. */
export const workerProofOf = ({ id, generation }: Worker): string => `${id}.${generation}`;

/** Judges by the verb, which `execute` checks: every verb of users and teams but the lists is a change. */
const changesAccounts = (statement: unknown): boolean => {
  const verb = typeof statement === 'object' && statement !== null && 'verb' in statement ? String(statement.verb) : '';
  return /^(?:user|team)\./.test(verb) && !verb.endsWith('.list');
};
