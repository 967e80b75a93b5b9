import * as v from 'valibot';
import { curveKeyPair } from 'zeromq';
import { TriggerdError } from '../../domain/errors.ts';
import { readOrCreateSecret } from '../files/secret-file.ts';

export interface CurveKeys {
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
