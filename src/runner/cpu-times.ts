import { openSync, readSync } from 'node:fs';

/** CPU seconds of all children that this process has waited for, and of those that they had waited for. */
export interface CpuTimes {
  readonly userS: number;
  readonly systemS: number;
}

/** USER_HZ: what the kernel shows to programs, whatever it ticks at. */
const ticksPerSecond = 100;
const buffer = Buffer.alloc(1024);
let fd: number | undefined;

export const childrenTimes = (): CpuTimes => {
  fd ??= openSync('/proc/self/stat', 'r');
  const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { userS: Number(fields[13]) / ticksPerSecond, systemS: Number(fields[14]) / ticksPerSecond };
};

export const since = (before: CpuTimes): CpuTimes => {
  const now = childrenTimes();
  return { userS: now.userS - before.userS, systemS: now.systemS - before.systemS };
};
