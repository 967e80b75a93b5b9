import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import type { PresenceDocument } from '../wire.ts';
import type { Holder, MachineName } from './holder.ts';
import type { NameHost, NameMemory } from './ports.ts';

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
