import type { ErrorCode } from '../domain/errors.ts';

const away: ReadonlySet<ErrorCode> = new Set([
  'etcd-unreachable',
  'etcd-wants-tls',
  'etcd-wants-http',
  'etcd-certificate',
  'etcd-client-certificate',
]);

/** Whether no request reaches etcd with this failure: it says nothing about the request, and another endpoint may do. */
export const isEtcdAway = (code: ErrorCode): boolean => away.has(code);
