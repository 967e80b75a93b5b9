import { readdir, readFile, readlink } from 'node:fs/promises';
import type { MountHolder } from '../../doctor/ports.ts';

/**
 * Processes that have a file open of a mount that is there no more: what they write goes nowhere until they open it anew. Only
 * /proc is read: to touch such a file could wait for ever. What a process of another user has open, only root sees.
 */
export const holdersOfGoneMounts = async (proc = '/proc'): Promise<MountHolder[]> => {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  const held = await Promise.all(pids.map((pid) => heldBy(proc, pid).catch(() => [])));
  return held.flat();
};

const heldBy = async (proc: string, pid: string): Promise<MountHolder[]> => {
  const place = `${proc}/${pid}`;
  const mounts = new Set((await readFile(`${place}/mountinfo`, 'utf8')).split('\n').map((line) => line.split(' ')[0]));
  const files = await readdir(`${place}/fd`);
  const paths = await Promise.all(files.map((fd) => goneFile(place, fd, mounts).catch(() => undefined)));
  const gone = [...new Set(paths)].filter((path) => path !== undefined);
  if (gone.length === 0) return [];
  const program = (await readFile(`${place}/comm`, 'utf8')).trim();
  return gone.map((path) => ({ pid: Number(pid), program, path }));
};

/** Its path within the mount, where the mount is none of the process's any more. */
const goneFile = async (
  place: string,
  fd: string,
  mounts: ReadonlySet<string | undefined>,
): Promise<string | undefined> => {
  const path = await readlink(`${place}/fd/${fd}`);
  // Pipes and sockets have no path; memory files and what was deleted from them are on mounts of the kernel's own.
  if (!path.startsWith('/') || path.startsWith('/memfd:') || path.endsWith(' (deleted)')) return undefined;
  const mount = /^mnt_id:\s*(\d+)$/m.exec(await readFile(`${place}/fdinfo/${fd}`, 'utf8'))?.[1];
  return mount === undefined || mounts.has(mount) ? undefined : path;
};
