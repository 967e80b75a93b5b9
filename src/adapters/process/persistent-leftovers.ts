import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canStartUnits, signalUnit } from './own-unit.ts';
import { bootId, type ProcessIdentity, statOf } from './process-identity.ts';
import { groupTree } from './process-tree.ts';
import { stopTree } from './stop-tree.ts';

/** The unit of a persistent plugin, where there is one. */
export const pluginUnit = (token: string): string => `triggerd-plugin-${token}`;

/** Writes down a process that must not outlive the daemon. */
export const rememberProcess = (folder: string, token: string, pid: number): void => {
  const identity: ProcessIdentity = { bootId: bootId(), pid, startTime: statOf(pid)?.startTime ?? '' };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, token), JSON.stringify(identity), { mode: 0o600 });
};

export const forgetProcess = (folder: string, token: string): void => rmSync(join(folder, token), { force: true });

/** Kills what a daemon that died has left running, whole trees; resolves when it is gone. */
export const stopLeftovers = async (folder: string): Promise<void> => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await Promise.all(
    readdirSync(folder).map(async (token) => {
      const left = identityIn(join(folder, token));
      const isThisBoot = left?.bootId === bootId();
      const now = isThisBoot ? statOf(left.pid) : undefined;
      // A pid is not given away while its group lives; one of another start time is somebody else's.
      const isOurs = now === undefined || now.startTime === left?.startTime;
      if (canStartUnits()) await signalUnit(pluginUnit(token), 'SIGKILL');
      if (isThisBoot) await stopTree(groupTree(isOurs ? left.pid : nobody, token), 0);
      forgetProcess(folder, token);
    }),
  );
};

const nobody = 2 ** 30;

/** Undefined for one that a power cut has damaged: then its boot has ended, too. */
const identityIn = (file: string): ProcessIdentity | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
};
