import { readFileSync } from 'node:fs';

/** Resident memory of a process, in MB: now, and the most that it had. */
export const memoryMb = (pid: number): number => ofStatus(pid, 'VmRSS');
export const peakMemoryMb = (pid: number): number => ofStatus(pid, 'VmHWM');

const ofStatus = (pid: number, field: string): number => {
  const [, kib] = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} has no ${field}`);
  return (Number(kib) * 1024) / 1e6;
};
