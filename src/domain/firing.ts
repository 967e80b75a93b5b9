/**
 * A firing: one publication of a trigger. Immutable once it is in etcd. The wire format (snake case, `"format": 1`) is
 * `docs/reference/keyspace.md`; `src/firings/wire/firing.ts` reads and writes it.
 */
export type Firing = WholeFiring | BriefFiring;

/** With its list of targets: as it is published, and as its origin sees it. */
export interface WholeFiring extends FiringFacts {
  /** Node names, each once. */
  readonly targets: readonly string[];
}

/** As the targets of a large firing read it: all but the list of them, which would be read by each. */
export interface BriefFiring extends FiringFacts {
  readonly targets: null;
  readonly targetsTotal: number;
}

interface FiringFacts {
  readonly id: FiringId;
  readonly trigger: string;
  readonly origin: Origin;
  readonly job: FiringJob;
  readonly noop: boolean;
  readonly tags: readonly string[];
  readonly policy: Readonly<Record<string, unknown>>;
  /** How many more hops a chain of firings may continue from here. */
  readonly ttl: number;
  readonly chain: readonly ChainLink[];
  /** ISO 8601, the publisher's clock. */
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly signature: unknown;
}

/** A ULID. Never used for order: order is etcd's create revision. */
export type FiringId = string;

/** What the target should run: null means its own `[watch] run_cmd`. */
export interface FiringJob {
  readonly plugin: string | null;
  readonly args: Readonly<Record<string, string>>;
}

export type Origin = PuppetOrigin | CliOrigin;

export interface PuppetOrigin {
  readonly kind: 'puppet';
  readonly node: string;
  readonly certname: string | null;
  readonly environment: string | null;
  readonly catalogUuid: string | null;
  readonly transactionUuid: string | null;
  readonly catalogVersion: string | null;
  readonly resource: string | null;
  /** The resources whose change led to the refresh, at most 20. */
  readonly causes: readonly Cause[];
  readonly causesTotal: number;
}

export interface CliOrigin {
  readonly kind: 'cli';
  readonly node: string;
  readonly user: string | null;
}

/** A changed resource, where the manifest declares it, and Puppet's own event message. */
export interface Cause {
  readonly resource: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly property: string | null;
  readonly message: string | null;
}

/** One step of the chain of firings that led to a run. */
export interface ChainLink {
  readonly firing: FiringId;
  readonly node: string;
  readonly trigger: string;
}

export const defaultTtl = 8;

const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
export const isFiringId = (value: string): value is FiringId => ulidPattern.test(value);

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** How many characters of an id are its time. */
const timeLength = 10;

/** When a firing was made, as its id says: ms since the epoch, by the publisher's clock. */
export const timeOfFiringId = (id: FiringId): number =>
  [...id.slice(0, timeLength)].reduce((time, char) => time * 32 + crockford.indexOf(char), 0);

/** The smallest of all ids of this time: ids sort like their times. */
export const firstFiringIdAt = (at: number): FiringId => {
  let rest = Math.max(0, Math.floor(at));
  let id = '';
  for (let place = 0; place < timeLength; place++) {
    id = crockford.charAt(rest % 32) + id;
    rest = Math.floor(rest / 32);
  }
  return id.padEnd(26, '0');
};

/** Whether the firing's written expiry has passed at `now` (ms since the epoch). */
export const isExpired = (firing: Pick<Firing, 'expiresAt'>, now: number): boolean =>
  firing.expiresAt !== null && Date.parse(firing.expiresAt) <= now;
