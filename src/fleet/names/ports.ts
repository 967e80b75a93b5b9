import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { Entry } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keys.ts';
import type { PresenceDocument } from '../wire.ts';
import type { Holder, MachineName } from './holder.ts';

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
