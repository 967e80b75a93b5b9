/**
 * Who holds a file of a FUSE mount whose process is gone. Two things make it more than one look:
 *  - The mount may still be listed: where another mount namespace keeps it (a container, `PrivateMounts=`), or where nobody has unmounted it.
 *  - A descriptor may be of a mount that its process does not list and that is well: systemd opens the standard streams of a
 *    service before it gives the service its own view of mounts.
 * So the mount itself is asked, by a program that may wait for it: a frozen one answers nobody.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import PQueue from 'p-queue';
import type { MountHolder } from '../../doctor/ports.ts';

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
