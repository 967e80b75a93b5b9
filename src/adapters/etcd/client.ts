import { rootCertificates } from 'node:tls';
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { Etcd3, type IOptions } from 'etcd3';
import { defaultRequestTimeoutMs, defaultTiming, type EtcdOptions } from './options.ts';

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
