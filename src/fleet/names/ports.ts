import * as v from 'valibot';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import { format, nodeName, orNull, parseDocument, text, timestamp } from '../../store/document.ts';
import type { Entry } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keys.ts';
import type { PresenceDocument } from '../wire.ts';

/** This process, as others may have to tell it from its twins. */
export type Self = Omit<Holder, 'node' | 'version' | 'since'>;

/** `unknown`: of another machine, of an earlier start of this one, or of pids that we do not see. */
export type Life = 'alive' | 'dead' | 'unknown';

/** This machine, as names need it. */
export interface NameHost {
  readonly self: Self;
  /** Whether that process still runs. */
  lifeOf(holder: Holder): Life;
}

/** What a state folder remembers of its daemons' names. Clones have a copy of it. */
export interface NameMemory {
  /** Nothing where it cannot be read. */
  read(node: string): Remembered;
  /** Durable when it returns. Throws `state-unusable`. */
  write(node: string, remembered: Remembered): void;
}

export interface Remembered {
  /** Instances by which this folder's daemons have held the name, or have been about to. */
  readonly instances: readonly string[];
  /**
   * Somebody else was seen alive under the name: this folder is not its holder's, whatever it was copied from. `holder`: that
   * one's instance; null of an earlier version, which has none.
   */
  readonly refusedBy?: { readonly holder: string | null };
}

/** Who needs to know whether this process holds its name. */
export interface NameGate {
  /** Now, by etcd's word and our own clock. */
  isHeld(): boolean;
  /** Another process has the name, or may have it. Not so while etcd is away: whoever held the name continues. */
  isRefused(): boolean;
  /** Whether this presence, just read, is ours. */
  confirms(presence: Entry | undefined): boolean;
  /** Asks etcd soon. */
  look(): void;
  /** Resolves once it is held, or when the signal aborts. */
  held(signal: AbortSignal): Promise<void>;
  /** Called after every change of the state. Returns how to stop that. */
  onChange(listener: () => void): () => void;
}

export interface Presence {
  /** Writes the value again, soon. */
  refresh(): void;
  close(): Promise<void>;
}

export interface NameTiming {
  /** For so long a name counts as held after its holder's last sign of life. Seconds. */
  readonly presenceS: number;
  /**
   * For so long another machine cannot have it. Seconds. Renewed every quarter: of 14 minutes there are more than 10 left
   * when the presence has ended.
   */
  readonly holderS: number;
  /** Nor later than this after its presence was over, where another machine's daemon has looked all the while. Seconds. */
  readonly goneS: number;
}

export interface NodeNameOptions extends Keyspace {
  readonly node: string;
  readonly version: string;
  /** What the presence says besides. */
  readonly describe: () => Pick<PresenceDocument, 'roles' | 'startedAt' | 'queues'>;
  /** `adopt`: another machine never has the name by itself. */
  readonly takeover: 'auto' | 'adopt';
  readonly host: NameHost;
  readonly memory: NameMemory;
  readonly clock: Clock;
  readonly log: Log;
  readonly tell: (happened: NameHappening) => void;
  readonly timing?: Partial<NameTiming>;
}

/** What is news about names, on this node. */
export type NameHappening =
  | { readonly kind: 'node.refused'; readonly refused: Holder; readonly holder: Holder | null }
  | { readonly kind: 'node.taken-over'; readonly holder: Holder; readonly from: MachineName };

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
interface RivalDocument extends Holder {
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
