/**
 * Who may connect: RFC 27. libzmq asks an authenticator for every connection; ours lets everybody in who has finished a
 * CURVE handshake in our domain, and refuses everything else. That is no authority yet: who somebody is, is said by a
 * token in a message.
 */
import * as v from 'valibot';
import { type Context, curveKeyPair, Reply } from 'zeromq';
import { TriggerdError } from '../../domain/errors.ts';
import { LimitedLog } from '../../kit/limited-log.ts';
import type { Log } from '../../kit/log.ts';
import { readOrCreateSecret } from '../files/secret-file.ts';
import { receiveLoop } from './outbox.ts';

export const zapDomain = 'triggerd';
/** libzmq's own name for it; one per context. */
export const zapAddress = 'inproc://zeromq.zap.01';

export interface Authenticator {
  /** Settles when it answers no more: whoever listens must stop then. */
  readonly running: Promise<void>;
  close(): Promise<void>;
}

/** Answers from when it resolves on; to be started before anything is bound. */
export const startAuthenticator = async (context: Context, log: Log): Promise<Authenticator> => {
  const socket = new Reply({ context, linger: 0 });
  await socket.bind(zapAddress);
  const limited = new LimitedLog(log, () => performance.now());
  const running = receiveLoop(socket, async (frames) => {
    const answer = answerTo(frames);
    if (answer[2] !== '200') limited.warn(answer[3], { why: answer[3] }, 'Refused a connection to the broker');
    await socket.send(answer);
  });
  return {
    running,
    close: async () => {
      socket.close();
      await running.catch(() => undefined);
    },
  };
};

/** The answer to one question; pure. Version, request id, status, text, user id, metadata. */
export const answerTo = (question: readonly Buffer[]): [string, Buffer, '200' | '400', string, string, string] => {
  const [version, requestId = Buffer.alloc(0), domain, , , mechanism, key] = question;
  const refusal =
    version?.toString() !== '1.0'
      ? 'an unknown version of the protocol'
      : domain?.toString() !== zapDomain
        ? 'not our domain'
        : mechanism?.toString() !== 'CURVE' || key?.length !== 32
          ? 'not encrypted with CURVE'
          : undefined;
  return refusal === undefined ? ['1.0', requestId, '200', 'OK', '', ''] : ['1.0', requestId, '400', refusal, '', ''];
};

interface CurveKeys {
  /** What clients and workers know the broker by (Z85). */
  readonly publicKey: string;
  readonly secretKey: string;
}

const z85 = v.pipe(v.string(), v.regex(/^[0-9a-zA-Z.:+=^!/*?&<>()[\]{}@%$#-]{40}$/));
const keyFile = v.object({ public: z85, secret: z85 });

/**
 * The keys of this broker, from their file, which is made at the first start. Whoever replaces the file has to tell every
 * client and worker the new public key. Throws `state-unusable`.
 */
export const openCurveKeys = async (path: string): Promise<CurveKeys> => {
  const text = await readOrCreateSecret(path, async () => {
    const { publicKey, secretKey } = curveKeyPair();
    return JSON.stringify({ public: publicKey, secret: secretKey });
  });
  const parsed = v.safeParse(keyFile, parseJson(text));
  if (!parsed.success)
    throw new TriggerdError(
      'state-unusable',
      `${path} has no CURVE keys; remove the file, and triggerd makes new ones`,
    );
  return { publicKey: parsed.output.public, secretKey: parsed.output.secret };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
