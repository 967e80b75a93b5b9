import { readFileSync } from 'node:fs';

/** Which process this is, beyond the reuse of its pid: the same pid later or after a reboot is another identity. */
export interface ProcessIdentity {
  readonly bootId: string;
  readonly pid: number;
  /** Clock ticks since boot, field 22 of `/proc/<pid>/stat`. */
  readonly startTime: string;
}

export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

/** The identity of a process that exists now; undefined when there is none (a zombie is none). */
export const identityOf = (pid: number): ProcessIdentity | undefined => {
  const stat = statOf(pid);
  return stat === undefined || stat.isZombie ? undefined : { bootId: bootId(), pid, startTime: stat.startTime };
};

/** Whether exactly this process still runs. */
export const isAlive = (identity: ProcessIdentity): boolean => {
  const now = identityOf(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.bootId === identity.bootId;
};

export interface ProcessStat {
  readonly isZombie: boolean;
  readonly group: number;
  readonly session: number;
  readonly startTime: string;
}

/** The fields of `/proc/<pid>/stat` that we need; undefined when the process is gone. */
export const statOf = (pid: number): ProcessStat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command may hold spaces and brackets: the fields start after its last bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state = '', , group = '', session = ''] = fields;
    return {
      isZombie: state === 'Z' || state === 'X',
      group: Number(group),
      session: Number(session),
      startTime: fields[19] ?? '',
    };
  } catch {
    return undefined;
  }
};
