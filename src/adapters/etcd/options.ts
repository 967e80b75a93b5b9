import type { Log } from '../../kit/log.ts';

/** How to reach etcd. Contents of files, not their names: whoever composes the daemon reads them. */
export interface EtcdOptions {
  /** `http://host:port` or `https://host:port`, at least one. Any of them is used, until it fails; then the next. */
  readonly endpoints: readonly [string, ...string[]];
  /** PEM. `ca` defaults to the system's roots; `cert` and `key` come together. */
  readonly tls?: {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
    /** The name to look for in the server’s certificate. Default: the host of the endpoint. */
    readonly serverName?: string;
  };
  readonly auth?: { readonly username: string; readonly password: string };
  /** The longest that any one call takes, fail-over to other endpoints included. Default 5,000. */
  readonly requestTimeoutMs?: number;
  readonly log: Log;
  readonly timing?: Partial<EtcdTiming>;
}

/** Times that only tests have a reason to change. */
export interface EtcdTiming {
  /** etcd answers pings more often than every 5 s with a disconnect. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** A watch that is silent for this long is asked for a sign of life… */
  readonly watchIdleMs: number;
  /** …and given up when none came for this long. */
  readonly watchAnswerMs: number;
  /** The lease of a key that only one can hold: shorter, because nobody does its work until it has ended. */
  readonly heldTtlS: number;
}

export const defaultTiming: EtcdTiming = {
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 5_000,
  watchIdleMs: 30_000,
  watchAnswerMs: 10_000,
  heldTtlS: 10,
};

export const defaultRequestTimeoutMs = 5_000;
