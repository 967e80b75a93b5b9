import { type Finding, fine, unused, warning, wrong } from './finding.ts';
import type { Machine } from './ports.ts';

const scarceBytes = 256 * 1_048_576;

/** Whether what the daemon keeps can be written, and for how long: the disk of its state folder. */
export const checkDisk = async (machine: Machine, folder: string): Promise<Finding[]> => {
  const disk = await machine.disk(folder);
  switch (disk.state) {
    case 'absent':
      return [unused('disk', `${folder} is made when the daemon starts`)];
    case 'unwritable':
      return [
        wrong(
          'disk',
          `${folder} cannot be written: ${disk.why}`,
          'Check the disk (or rerun as root). Owed work waits.',
        ),
      ];
    case 'writable':
      return [roomFinding(folder, disk.freeBytes)];
  }
};

const roomFinding = (folder: string, freeBytes: number): Finding => {
  const free = `${Math.floor(freeBytes / 1_048_576)} MiB are free in ${folder}`;
  if (freeBytes >= scarceBytes) return fine('disk', free);
  return warning(
    'disk',
    `only ${free}`,
    'Free space on the disk. A full disk makes firings wait and refuses new jobs.',
  );
};
