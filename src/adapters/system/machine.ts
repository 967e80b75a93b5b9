import { createPrivateKey, X509Certificate } from 'node:crypto';
import { open, readdir, readFile, readlink, rm, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import PQueue from 'p-queue';
import type { Certificate, CertificateFiles, FileFacts, Machine, MountHolder } from '../../doctor/ports.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { readConfiguredFile } from '../files/configured-file.ts';
import { baseEnvironment } from './base-env.ts';
import { nameIn } from './file-access.ts';
import { isMissing } from './is-missing.ts';

/** Puppet alone takes some seconds to say its version, many of them where it runs at this moment. */
const patienceMs = 60_000;

/** This machine, as `trigger doctor` looks at it. */
export const thisMachine: Machine = {
  get uid() {
    return process.getuid?.() ?? 0;
  },
  file: async (path) => {
    const found = await stat(path).catch(unlessMissing);
    if (found === undefined) return undefined;
    const { mode, uid, gid } = found;
    const names = { owner: nameIn('/etc/passwd', uid), group: nameIn('/etc/group', gid) };
    return { kind: kindOf(found), mode: mode & 0o7777, uid, ...names };
  },
  names: async (folder) => (await readdir(folder).catch(unlessMissing)) ?? [],
  disk: async (folder) => {
    const found = await statfs(folder).catch(unlessMissing);
    if (found === undefined) return { state: 'absent' };
    const why = await writingFails(folder);
    return why === undefined
      ? { state: 'writable', freeBytes: found.bavail * found.bsize }
      : { state: 'unwritable', why };
  },
  certificate: readCertificate,
  firstLine: async (program, args) => {
    const asked = await execa(program, args, {
      env: baseEnvironment(),
      extendEnv: false,
      reject: false,
      timeout: patienceMs,
      maxBuffer: 65_536,
      all: true,
    });
    const line = asked.failed ? undefined : asked.all.split('\n')[0]?.trim();
    return line === '' ? undefined : line;
  },
  holdersOfDeadMounts: () => holdersOfDeadMounts(),
  accepts: (host, port) =>
    new Promise((resolve) => {
      const connection = connect({ host, port, timeout: 3_000 });
      const end = (accepted: boolean) => {
        connection.destroy();
        resolve(accepted);
      };
      connection.once('connect', () => end(true));
      connection.once('error', () => end(false));
      connection.once('timeout', () => end(false));
    }),
};

const unlessMissing = (error: NodeJS.ErrnoException): undefined => {
  if (isMissing(error)) return undefined;
  throw new TriggerdError('state-unusable', error.message, { cause: error });
};

/** Many a disk takes what cannot be written, and says so when it is to be kept. */
const writingFails = async (folder: string): Promise<string | undefined> => {
  const path = join(folder, `.doctor-${process.pid}`);
  try {
    const file = await open(path, 'wx', 0o600);
    await file
      .writeFile('x'.repeat(4_096))
      .then(() => file.sync())
      .finally(() => file.close());
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await rm(path, { force: true }).catch(() => undefined); // where it could not be made, it cannot be removed
  }
};

const kindOf = (found: Awaited<ReturnType<typeof stat>>): FileFacts['kind'] => {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'folder';
  if (found.isSocket()) return 'socket';
  return found.isCharacterDevice() || found.isBlockDevice() ? 'device' : 'other';
};

async function readCertificate({ cert, key, ca }: CertificateFiles): Promise<Certificate> {
  const pem = (file: string): Buffer => readConfiguredFile(null, file).content;
  const own = new X509Certificate(pem(cert));
  const privateKey = key === undefined ? undefined : createPrivateKey(pem(key));
  const issuer = ca === undefined ? undefined : new X509Certificate(pem(ca));
  return {
    subject: own.subject.replaceAll('\n', ', '),
    validFrom: Date.parse(own.validFrom),
    validTo: Date.parse(own.validTo),
    belongsToKey: privateKey === undefined ? null : own.checkPrivateKey(privateKey),
    isIssuedByCa: issuer === undefined ? null : own.verify(issuer.publicKey),
  };
}

/**
 * Who holds a file of a FUSE mount whose process is gone. Two things make it more than one look:
 *  - The mount may still be listed: where another mount namespace keeps it (a container, `PrivateMounts=`), or where nobody has unmounted it.
 *  - A descriptor may be of a mount that its process does not list and that is well: systemd opens the standard streams of a
 *    service before it gives the service its own view of mounts.
 * So the mount itself is asked, by a program that may wait for it: a frozen one answers nobody.
 */

interface Process {
  readonly pid: string;
  /** File system types of the mounts that it sees, by the kernel's number of the mount, which no two mounts share. */
  readonly types: ReadonlyMap<string, string>;
  readonly files: readonly OpenFile[];
}

interface OpenFile {
  readonly fd: string;
  readonly path: string;
  readonly mount: string;
}

const askedAtOnce = 8;
const answerMs = 2_000;

/** What a process of another user holds, only root sees; and root may not ask a user's mount that keeps others out. */
export const holdersOfDeadMounts = async (proc = '/proc'): Promise<MountHolder[]> => {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(pids.map((pid) => processOf(proc, pid).catch(() => undefined)));
  const processes = seen.filter((each) => each !== undefined);
  const types = new Map(processes.flatMap((each) => [...each.types]));
  const isDead = askOnce(({ mount }) => {
    const type = types.get(mount);
    return type === undefined || type === ourType;
  });
  const held = await Promise.all(processes.map((each) => heldBy(proc, each, isDead)));
  return held.flat();
};

/** Others' that are listed are others' concern; of one that nobody lists the type is not known. */
const ourType = 'fuse.triggerfs';

const processOf = async (proc: string, pid: string): Promise<Process> => {
  const place = `${proc}/${pid}`;
  const mountinfo = await readFile(`${place}/mountinfo`, 'utf8');
  const types = [...mountinfo.matchAll(/^(\d+) .*? - (\S+) /gm)].map(
    ([, mount = '', type = '']) => [mount, type] as const,
  );
  const files = await Promise.all((await readdir(`${place}/fd`)).map((fd) => fileOf(place, fd).catch(() => undefined)));
  return { pid, types: new Map(types), files: files.filter((file) => file !== undefined) };
};

const fileOf = async (place: string, fd: string): Promise<OpenFile | undefined> => {
  const path = await readlink(`${place}/fd/${fd}`);
  // Pipes and sockets have no path.
  if (!path.startsWith('/')) return undefined;
  const mount = /^mnt_id:\s*(\d+)$/m.exec(await readFile(`${place}/fdinfo/${fd}`, 'utf8'))?.[1];
  // The kernel takes a file for deleted once somebody has looked for it in vain, and in a dead mount everybody does.
  return mount === undefined ? undefined : { fd, path: path.replace(/ \(deleted\)$/, ''), mount };
};

type Ask = (descriptor: string, file: OpenFile) => Promise<boolean>;

/** One question for each mount, however many files of it are open. */
const askOnce = (isSuspect: (file: OpenFile) => boolean): Ask => {
  const answers = new Map<string, Promise<boolean>>();
  const queue = new PQueue({ concurrency: askedAtOnce });
  return async (descriptor, file) => {
    if (!isSuspect(file)) return false;
    const answer = answers.get(file.mount) ?? queue.add(() => hasNoProcess(descriptor));
    answers.set(file.mount, answer);
    return answer;
  };
};

const heldBy = async (proc: string, { pid, files }: Process, isDead: Ask): Promise<MountHolder[]> => {
  const dead = await Promise.all(files.map((file) => isDead(`${proc}/${pid}/fd/${file.fd}`, file)));
  const paths = new Set(files.filter((_, index) => dead[index]).map(({ path }) => path));
  if (paths.size === 0) return [];
  const program = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => undefined);
  // It may have ended meanwhile.
  return program === undefined ? [] : [...paths].map((path) => ({ pid: Number(pid), program: program.trim(), path }));
};

/** By `statfs`, which the kernel answers from no memory; for a dead mount at once, with ENOTCONN or ECONNABORTED. */
const hasNoProcess = async (descriptor: string): Promise<boolean> => {
  const asked = execa('stat', ['--file-system', '--', descriptor], {
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    timeout: answerMs,
    killSignal: 'SIGKILL',
  });
  // Nothing ends a program that waits for a request which a frozen process has read.
  const ended = await Promise.race([asked, sleep(2 * answerMs, undefined, { ref: false })]);
  return ended !== undefined && /not connected|connection abort/i.test(ended.stderr);
};
