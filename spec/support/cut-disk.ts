import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const imageBytes = 16 * 2 ** 20;

/** An ext4 whose device can be looked at as it would be found after a power cut. Needs root. */
export interface CutDisk {
  /** Where it is mounted. */
  readonly folder: string;
  /**
   * What the device holds at this moment: what the file system has not written yet is not in it. Taken when two readings in a row
   * are the same; then all of the first was there when it ended.
   */
  snapshot(): Buffer;
  /** Mounts such a device anew (ext4 replays its own journal) and hands its folder over. */
  afterCut<T>(image: Buffer, look: (folder: string) => T): T;
}

export const cutDisk = (): CutDisk => {
  // In memory: then the device's file is the device, with no cache of another disk between.
  const scratch = mkdtempSync('/dev/shm/triggerd-cut-');
  const [image, copy] = [join(scratch, 'image'), join(scratch, 'copy')];
  execFileSync('truncate', [`--size=${imageBytes}`, image]);
  execFileSync('mkfs.ext4', ['-q', '-F', '-b', '4096', '-N', '8192', '-J', 'size=4', image]);
  const folder = mounted(image, join(scratch, 'm'));
  onTestFinished(() => {
    unmount(folder);
    rmSync(scratch, { recursive: true, force: true });
  });
  return {
    folder,
    snapshot: () => snapshotOf(image),
    afterCut: (bytes, look) => {
      writeFileSync(copy, bytes);
      const found = mounted(copy, join(scratch, 'c'));
      try {
        return look(found);
      } finally {
        unmount(found);
      }
    },
  };
};

const mounted = (image: string, prefix: string): string => {
  const folder = mkdtempSync(prefix);
  execFileSync('mount', ['-o', 'loop', image, folder]);
  chmodSync(folder, 0o700);
  return folder;
};

const unmount = (folder: string): void => {
  execFileSync('umount', [folder]);
  rmdirSync(folder);
};

const snapshotOf = (image: string): Buffer => {
  const fd = openSync(image, 'r');
  try {
    for (let tries = 0; tries < 1_000; tries++) {
      const [first, second] = [wholeOf(fd), wholeOf(fd)];
      if (first.equals(second)) return first;
    }
    throw new Error(`${image} did not hold still`);
  } finally {
    closeSync(fd);
  }
};

const wholeOf = (fd: number): Buffer => {
  const bytes = Buffer.allocUnsafe(imageBytes);
  readSync(fd, bytes, 0, imageBytes, 0);
  return bytes;
};
