import { rootCertificates } from 'node:tls';
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { Etcd3, type IOptions } from 'etcd3';
import type { Log } from '../../kit/log.ts';

/** Large enough for a page of big values, small enough that a mad answer can't take all memory. */
const maxReceiveBytes = 64 * 1024 * 1024;

/**
 * A client of one endpoint with none of etcd3's own fault handling: its retries take no account of deadlines, and its
 * circuit breaker lets a refused write fail the reads after it. `Endpoints` decides about both.
 */
export const createClient = (endpoint: string, options: EtcdOptions): Etcd3 => {
  const timing = { ...defaultTiming, ...options.timing };
  const { tls } = options;
  const credentials = credentialsFor(endpoint, tls);
  return new Etcd3({
    hosts: [endpoint],
    ...(credentials && { credentials }),
    ...(options.auth && { auth: options.auth }),
    defaultCallOptions: ({ isStream }) =>
      isStream ? {} : { deadline: Date.now() + (options.requestTimeoutMs ?? defaultRequestTimeoutMs) },
    faultHandling: { host: passThrough, global: passThrough() },
    grpcOptions: {
      'grpc.keepalive_time_ms': timing.keepaliveMs,
      'grpc.keepalive_timeout_ms': timing.keepaliveTimeoutMs,
      // Not without calls: for pings on an idle connection etcd ends it, and gRPC complains on stderr. The call that ends
      // a silence pings first.
      'grpc.keepalive_permit_without_calls': 0,
      'grpc.max_receive_message_length': maxReceiveBytes,
      // A new client is a new connection: a shared one would bring its stalled socket and its back-off along.
      'grpc.use_local_subchannel_pool': 1,
      // A proxy for web pages is no way to etcd.
      'grpc.enable_http_proxy': 0,
      ...(tls?.serverName !== undefined && { 'grpc.ssl_target_name_override': tls.serverName }),
      interceptors: [requireLeader],
    },
  });
};

/** A member without a quorum then says so, instead of staying connected and silent. */
const requireLeader: Interceptor = (options, nextCall) =>
  new InterceptingCall(nextCall(options), {
    start: (metadata, listener, next) => {
      metadata.set('hasleader', 'true');
      next(metadata, listener);
    },
  });

const credentialsFor = (endpoint: string, tls: EtcdOptions['tls']): IOptions['credentials'] => {
  if (!endpoint.startsWith('https:') || tls === undefined) return undefined;
  return {
    rootCertificate: tls.ca ?? Buffer.from(rootCertificates.join('\n')),
    ...(tls.key && { privateKey: tls.key }),
    ...(tls.cert && { certChain: tls.cert }),
  };
};

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;

/** A fault-handling policy that handles nothing. */
const passThrough = (): Policy => ({
  _altReturn: undefined as never,
  onSuccess: unheard,
  onFailure: unheard,
  execute: async (run) => run({ signal: new AbortController().signal }),
});

const unheard = () => ({ dispose: () => undefined });

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
