import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import { whyParentsUntrusted } from './trusted-way.ts';

/** Members of this group may use the control socket; without the group only the daemon's own user may. */
const socketGroup = 'triggerd';

/**
 * Makes the place for the control socket: creates its folder and removes the socket that a dead daemon left. Throws
 * `already-running` when somebody answers there, `state-unusable` when something else is in its place.
 */
export const prepareControlSocket = async (path: string): Promise<void> => {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    await checkFolder(dirname(path));
    if (!existsSync(path)) return;
    if (!statSync(path).isSocket()) throw new TriggerdError('state-unusable', `${path} exists and is not a socket`);
    if (await answers(path)) throw new TriggerdError('already-running', `a daemon answers on ${path}`);
    rmSync(path);
  } catch (cause) {
    if (cause instanceof TriggerdError) throw cause;
    throw new TriggerdError('state-unusable', `the control socket ${path}: ${(cause as Error).message}`, { cause });
  }
};

/** Whoever can rename files there could let us open another file than our socket to the group. */
const checkFolder = async (path: string): Promise<void> => {
  const { uid, mode } = statSync(path);
  if (uid !== 0 && uid !== process.getuid?.())
    throw new TriggerdError('state-unusable', `the control socket’s folder ${path} belongs to user ${uid}`);
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0)
    throw new TriggerdError('state-unusable', `the group or others can write to the control socket’s folder ${path}`);
  const why = await whyParentsUntrusted(path);
  if (why !== null) throw new TriggerdError('state-unusable', `the control socket’s folder ${path}: ${why}`);
};

/** Opens the listening socket to root and the group, and to nobody else; `forOneUser`: not even to a group. */
export const protectControlSocket = (path: string, { forOneUser = false } = {}): void => {
  const gid = forOneUser ? undefined : groupId(socketGroup);
  chmodSync(path, forOneUser ? 0o600 : 0o660);
  if (gid !== undefined && process.getuid?.() === 0) chownSync(path, 0, gid);
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = createConnection(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });

const groupId = (name: string): number | undefined => {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const gid = Number(line?.split(':')[2]);
  return Number.isInteger(gid) ? gid : undefined;
};
