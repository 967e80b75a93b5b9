import { get } from 'node:http';
import { connect } from 'node:tls';
import { TriggerdError } from '../../domain/errors.ts';
import { parseAddress } from '../../kit/address.ts';

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
