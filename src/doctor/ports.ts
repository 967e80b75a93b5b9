/** What the checks need to know of the world. Every call ends within a few seconds; a failure is a `TriggerdError`. */
import type { OwnBrokerView } from '../api/contract/brokers.ts';
import type { HealthView } from '../api/contract/health.ts';
import type { JobView } from '../api/contract/jobs.ts';
import type { FileAccess } from '../config/exposure.ts';
import type { PuppetHost } from '../plugin/ports.ts';

export interface Surroundings {
  readonly daemon: DaemonProbe;
  readonly etcd: EtcdProbe;
  readonly machine: Machine;
  readonly puppet: PuppetHost;
  /** ms since the epoch. */
  now(): number;
}

export interface DaemonProbe {
  health(): Promise<HealthView>;
  /** The job of this queue that starts next; undefined when none is queued. */
  nextJob(queue: string): Promise<JobView | undefined>;
  /** Throws `broker-missing` where the daemon is none. */
  broker(): Promise<OwnBrokerView>;
}

export interface EtcdProbe {
  member(endpoint: string): Promise<EtcdMember>;
  /** Whether somebody without certificate, user and password may write there. Throws `etcd-unreachable`. */
  isOpenToStrangers(endpoint: string): Promise<boolean>;
}

export interface EtcdMember {
  readonly version: string;
  readonly hasLeader: boolean;
  readonly isLearner: boolean;
  /** Of a read that the cluster agrees on. */
  readonly latencyMs: number;
  /** Of its file, which etcd compares with its quota. */
  readonly dbBytes: number;
  /** In use in the file. */
  readonly usedBytes: number;
  /** What etcd complains of itself, e.g. `NOSPACE`. */
  readonly complaints: readonly string[];
  /** As configured, else from its web side; null where that does not answer. */
  readonly quotaBytes: number | null;
  /** This machine's clock less etcd's, ms, to about half a second; null like the quota. */
  readonly clockAheadMs: number | null;
}

export interface Certificate {
  readonly subject: string;
  /** ms since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
  /** Null: no key, or no CA, to compare with. */
  readonly belongsToKey: boolean | null;
  readonly isIssuedByCa: boolean | null;
}

export interface CertificateFiles {
  readonly cert: string;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
}

export interface FileFacts extends FileAccess {
  readonly kind: 'file' | 'folder' | 'socket' | 'device' | 'other';
}

export type Disk =
  | { readonly state: 'absent' }
  | { readonly state: 'unwritable'; readonly why: string }
  | { readonly state: 'writable'; readonly freeBytes: number };

export interface Machine {
  /** Who looks. */
  readonly uid: number;
  /** Undefined when there is nothing. */
  file(path: string): Promise<FileFacts | undefined>;
  /** Names in a folder; none when it is not there. */
  names(folder: string): Promise<readonly string[]>;
  /** Of this folder; it is tried with a small file that is gone afterwards. */
  disk(folder: string): Promise<Disk>;
  certificate(files: CertificateFiles): Promise<Certificate>;
  /** First line that a program prints; undefined when it cannot be run. */
  firstLine(program: string, args: readonly string[]): Promise<string | undefined>;
  /** Who has files open of FUSE mounts whose process is gone. */
  holdersOfDeadMounts(): Promise<readonly MountHolder[]>;
  /** Whether somebody accepts a TCP connection. */
  accepts(host: string, port: number): Promise<boolean>;
}

/** `path` is within the mount if the mount is listed nowhere any more, else within what the process sees. */
export interface MountHolder {
  readonly pid: number;
  readonly program: string;
  readonly path: string;
}
