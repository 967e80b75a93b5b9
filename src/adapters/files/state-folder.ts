import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { NameMemory } from '../../fleet/names/ports.ts';
import { replaceSecret } from './secret-file.ts';
import { whyParentsUntrusted } from './trusted-way.ts';

export interface StateFolder {
  readonly path: string;
  readonly journalFile: string;
  readonly jobsDir: string;
}

/**
 * Makes or checks the daemon's folder: ours, and closed to everybody else, since outputs and arguments in it may be
 * secret and whoever can write there runs what he likes. Throws `state-unusable`.
 */
export const prepareStateFolder = async (path: string): Promise<StateFolder> => {
  const jobsDir = join(path, 'jobs');
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    checkIsOurs(path);
    // Whoever can rename a folder above can put another in its place.
    const why = await whyParentsUntrusted(path);
    if (why !== null) throw new TriggerdError('state-unusable', why);
    mkdirSync(jobsDir, { recursive: true, mode: 0o700 });
    checkIsOurs(jobsDir);
  } catch (cause) {
    if (cause instanceof TriggerdError) throw cause;
    throw new TriggerdError('state-unusable', `${path}: ${(cause as Error).message}`, { cause });
  }
  return { path, journalFile: join(path, 'journal.db'), jobsDir };
};

const checkIsOurs = (path: string): void => {
  const { uid, mode } = statSync(path);
  if (uid !== process.getuid?.())
    throw new TriggerdError('state-unusable', `${path} belongs to user ${uid}, not to the daemon’s`);
  if ((mode & 0o022) !== 0)
    throw new TriggerdError('state-unusable', `${path} can be written by its group or by others`);
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
};

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

const document = v.object({
  format: v.literal(1),
  node: v.string(),
  instances: v.pipe(v.array(v.string()), v.maxLength(16)),
  refused_by: v.nullish(v.object({ holder: v.nullable(v.string()) })),
});

/** `name.json` in the state folder. What is not there, of another name or damaged is nothing: the node waits for its name then. */
export const createNameMemory = (stateDir: string): NameMemory => {
  const file = join(stateDir, 'name.json');
  return {
    read: (node) => {
      try {
        const { instances, refused_by, ...of } = v.parse(document, JSON.parse(readFileSync(file, 'utf8')));
        if (of.node === node) return { instances, ...(refused_by ? { refusedBy: refused_by } : {}) };
      } catch {
        // As if it were not there.
      }
      return { instances: [] };
    },
    write: (node, { instances, refusedBy }) => {
      const kept = { format: 1, node, instances: instances.slice(-16), refused_by: refusedBy ?? null };
      try {
        replaceSecret(file, `${JSON.stringify(kept)}\n`);
      } catch (cause) {
        throw new TriggerdError('state-unusable', `${file}: ${(cause as Error).message}`, { cause });
      }
    },
  };
};
