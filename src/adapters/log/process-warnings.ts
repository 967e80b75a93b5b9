import type { Log } from '../../kit/log.ts';

/**
 * Node.js warns of SNI with an IP address, for every etcd endpoint with one: gRPC does that by itself, and servers ignore it. No
 * option prevents it: gRPC's `grpc.ssl_target_name_override` sets SNI only together with the name that the certificate must have,
 * and etcd3 passes no check of its own to the credentials that it makes.
 */
const ofNoInterest: ReadonlySet<string> = new Set(['DEP0123']);

/** From now on warnings of Node.js are lines of this log, instead of text on stderr that no reader of the log expects. */
export const logProcessWarnings = (log: Log): void => {
  // Node.js has a listener of its own, which prints.
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { readonly code?: string }) => {
    const { name, code, message } = warning;
    if (!ofNoInterest.has(code ?? '')) log.warn({ warning: name, code }, message);
  });
};
