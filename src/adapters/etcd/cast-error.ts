import { get } from 'node:http';
import { connect } from 'node:tls';
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
import { parseAddress } from '../../kit/address.ts';

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

/** What gRPC says when the other side does not speak the protocol that the endpoint's scheme says. */
const otherProtocol =
  /Failed to connect|Protocol error|disconnected before secure TLS|wrong version number|ECONNRESET|Connection dropped/;
/** The connection was accepted a moment ago: more than enough for an answer. ms. */
const lookMs = 1_000;

/** The same failure, or a more precise one where a look at the endpoint tells that its scheme is the wrong one. */
export const explainOutage = async (error: TriggerdError, endpoint: string): Promise<TriggerdError> => {
  if (error.code !== 'etcd-unreachable' || !otherProtocol.test(error.message)) return error;
  const address = parseAddress('url', endpoint);
  if (typeof address === 'string') return error;
  const { scheme, host, port } = address;
  if (scheme === 'http' && (await speaksTls(host, port)))
    return new TriggerdError('etcd-wants-tls', `${endpoint}: etcd uses TLS: write https://`, { cause: error });
  if (scheme === 'https' && (await speaksHttp(host, port)))
    return new TriggerdError('etcd-wants-http', `${endpoint}: etcd does not use TLS: write http://`, { cause: error });
  return error;
};

const speaksTls = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    // Nothing is sent, so it does not matter who answers.
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: lookMs });
    const end = (does: boolean) => {
      socket.destroy();
      resolve(does);
    };
    socket.once('secureConnect', () => end(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(/ALERT/.test(code ?? '')));
    socket.once('timeout', () => end(false));
  });

const speaksHttp = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get({ host, port, path: '/health', timeout: lookMs, agent: false }, (response) => {
      response.destroy();
      // What speaks TLS there may answer plain HTTP, too: with 400.
      resolve(response.statusCode !== 400);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
