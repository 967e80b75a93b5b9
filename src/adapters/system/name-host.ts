import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { ulid } from 'ulid';
import type { Holder } from '../../fleet/names/holder.ts';
import type { NameHost, Self } from '../../fleet/names/ports.ts';
import { bootId, identityOf, isAlive } from '../process/process-identity.ts';

/** This process on this machine, under a new instance. */
export const createNameHost = (): NameHost => {
  const self: Self = {
    instance: ulid(),
    host: hostname().slice(0, 255),
    address: ownAddress(),
    pid: process.pid,
    machine: machineId(),
    boot: bootId(),
    pid_namespace: pidNamespace(),
    started: identityOf(process.pid)?.startTime ?? '',
  };
  return { self, lifeOf: (holder) => lifeOf(self, holder) };
};

/** Pids say something only within one start of the machine, and within one container. */
const lifeOf = (self: Self, { boot, pid, pid_namespace, started }: Holder): ReturnType<NameHost['lifeOf']> => {
  if (boot !== self.boot || pid_namespace !== self.pid_namespace || pid_namespace === '') return 'unknown';
  return isAlive({ bootId: boot, pid, startTime: started }) ? 'alive' : 'dead';
};

/** systemd asks not to show the id of a machine to others; its hash tells as much. The firmware's is another one in most clones. */
const machineId = (): string => {
  const ids = ['/etc/machine-id', '/sys/class/dmi/id/product_uuid'].map(textOf);
  return createHash('sha256')
    .update(`triggerd ${ids.join(' ')}`)
    .digest('hex')
    .slice(0, 32);
};

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

const pidNamespace = (): string => {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
};

/** The first that others can reach. */
const ownAddress = (): string | null => {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.find(({ internal, address }) => !internal && !address.startsWith('fe80:'))?.address ?? null;
};
