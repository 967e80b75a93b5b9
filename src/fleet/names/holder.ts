/** Who asks for a name, and who has it. */
import * as v from 'valibot';
import { format, nodeName, orNull, parseDocument, text, timestamp } from '../../store/document.ts';

/** One process of one machine, so that people find it and the same machine recognises it. */
export interface Holder {
  readonly node: string;
  /** Random, of this start of the daemon. */
  readonly instance: string;
  readonly host: string;
  /** Where the host is reached, as far as it knows. */
  readonly address: string | null;
  readonly pid: number;
  /** What stays when the machine is started again, hashed; clones may share it. */
  readonly machine: string;
  /** Of the kernel: another one after each start of the machine. */
  readonly boot: string;
  /** The pids that `pid` is one of: containers have their own. */
  readonly pid_namespace: string;
  /** Clock ticks from the start of the machine to that of the process. */
  readonly started: string;
  readonly version: string;
  /** ISO 8601, by its own clock: for people only. */
  readonly since: string;
}

/** In etcd: a holder remembers from whose hands the name came, if the machine is another one. */
export interface HolderDocument extends Holder {
  readonly taken_from: MachineName | null;
}

/** In etcd: who asks for the name; `refused` once the one who has it is known to live. */
export interface RivalDocument extends Holder {
  readonly refused: boolean;
  /** Who has it; null: nobody is up, or an earlier version is. */
  readonly holder: Holder | null;
}

export interface MachineName {
  readonly machine: string;
  readonly host: string;
  readonly address: string | null;
}

const holder = {
  node: nodeName,
  instance: text(64),
  host: text(255),
  address: orNull(text(64)),
  pid: v.pipe(v.number(), v.safeInteger()),
  machine: text(64),
  boot: text(64),
  pid_namespace: text(64),
  started: text(64),
  version: text(64),
  since: timestamp,
};

export const machineName = v.object({ machine: text(64), host: text(255), address: orNull(text(64)) });
const holderDocument = v.object({ ...holder, taken_from: orNull(machineName) });
const rivalDocument = v.object({
  ...holder,
  refused: v.optional(v.boolean(), false),
  holder: orNull(v.object(holder)),
});

/** Throws `firing-malformed`. */
export const parseHolder = (key: string, value: string): HolderDocument => parseDocument(holderDocument, key, value);

/** Throws `firing-malformed`. */
export const parseRival = (key: string, value: string): RivalDocument => parseDocument(rivalDocument, key, value);

export const serializeHolder = (document: HolderDocument | RivalDocument): string =>
  JSON.stringify({ format, ...document });

/** `web-clone (10.0.0.7), pid 812`, for people. */
export const inWords = ({ host, address, pid }: Pick<Holder, 'host' | 'address' | 'pid'>): string =>
  `${host}${address === null ? '' : ` (${address})`}, pid ${pid}`;
