import {
  EtcdAuthenticationFailedError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotImplementedError,
  GRPCUnauthenticatedError,
} from 'etcd3';
import { type ErrorCode, TriggerdError } from '../../domain/errors.ts';

const tooLarge = 'Received message larger than max';

/** etcd's own texts, where class and status code do not tell. */
const codeOfText: readonly (readonly [string, ErrorCode])[] = [
  ['database space exceeded', 'etcd-no-space'],
  ['no space', 'etcd-no-space'],
  ['invalid auth token', 'etcd-unreachable'],
  ['auth: revision in header is old', 'etcd-unreachable'],
  ['authentication is not enabled', 'etcd-refused'],
  ['user name is empty', 'etcd-refused'],
  // Of maintenance; etcd3 has a class only for that of keys.
  ['permission denied', 'etcd-refused'],
  [tooLarge, 'etcd-refused'],
  // Of TLS, as OpenSSL and Node.js say it. The alerts are what the other side says of ours.
  ['alert bad certificate', 'etcd-client-certificate'],
  ['alert certificate', 'etcd-client-certificate'],
  ['alert unknown ca', 'etcd-client-certificate'],
  ['certificate has expired', 'etcd-certificate'],
  ['certificate is not yet valid', 'etcd-certificate'],
  ['does not match certificate', 'etcd-certificate'],
  ['unable to verify the first certificate', 'etcd-certificate'],
  ['unable to get local issuer', 'etcd-certificate'],
  ['unable to get issuer', 'etcd-certificate'],
  ['self-signed certificate', 'etcd-certificate'],
  ['self signed certificate', 'etcd-certificate'],
];

/** What asking again will not change. Everything else is an outage: the connection, a deadline, a missing leader. */
const refusals = [
  EtcdAuthenticationFailedError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotImplementedError,
  GRPCUnauthenticatedError,
];

/** The one place where errors of etcd3 and gRPC become ours; the original stays in `cause`. */
export const castError = (thrown: unknown, doing: string): TriggerdError => {
  if (thrown instanceof TriggerdError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new TriggerdError(codeOf(thrown, text), `${doing}: ${oneLine(text)}`, { cause: thrown });
};

/** Whether a read at an old revision failed because etcd has compacted it away. */
export const isCompacted = (error: unknown): boolean => says(error, 'required revision has been compacted');

/** Whether an answer exceeded the receive limit. */
export const isTooLarge = (error: unknown): boolean => says(error, tooLarge);

/** Whether a lease has expired or was revoked. */
export const isLeaseGone = (error: unknown): boolean =>
  error instanceof TriggerdError && error.cause instanceof EtcdLeaseInvalidError;

const says = (error: unknown, text: string): boolean => error instanceof TriggerdError && error.message.includes(text);

const codeOf = (thrown: unknown, text: string): ErrorCode => {
  if (thrown instanceof TypeError) return 'internal';
  const known = codeOfText.find(([part]) => text.includes(part));
  if (known) return known[1];
  return refusals.some((kind) => thrown instanceof kind) ? 'etcd-refused' : 'etcd-unreachable';
};

/** gRPC's messages repeat themselves over several lines; the first 300 characters say it. */
const oneLine = (text: string): string =>
  text
    .replace(/Resolution note: *$/, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
