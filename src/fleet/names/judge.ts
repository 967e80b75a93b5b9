/** Whether a process may have a name, from what etcd and its own machine know. Pure. */
import { type Holder, inWords } from './holder.ts';
import type { Life, Remembered, Self } from './ports.ts';

/** What etcd has at one revision. */
export interface Seen {
  /** `unreadable`: of a later version, or damaged. */
  readonly holder: Holder | 'unreadable' | undefined;
  /** The leased key of a daemon that is up; its instance is null where an earlier version wrote it. */
  readonly presence: { readonly instance: string | null } | undefined;
}

export interface Standing {
  readonly self: Pick<Self, 'instance' | 'machine'>;
  readonly remembered: Remembered;
  readonly lifeOf: (holder: Holder) => Life;
  /** Whoever is present has shown that it lives. */
  readonly isProven: boolean;
  /** An administrator has said that this machine is the one behind the name. */
  readonly isAdopted: boolean;
  /** The name was seen free for as long as another machine has to wait. */
  readonly isLongFree: boolean;
  /** The holder was seen away for so long that another machine can have the name. */
  readonly isLongGone: boolean;
}

/** Why a name is not free. `predecessor`: probably of our own last process; `elsewhere`: another machine had it. */
export type Obstacle = 'alive' | 'present' | 'predecessor' | 'elsewhere';

export type Judgement =
  | { readonly kind: 'take' }
  | { readonly kind: 'wait'; readonly why: Obstacle; readonly holder: Holder | null };

export const judge = (seen: Seen, standing: Standing): Judgement => {
  const holder = typeof seen.holder === 'object' ? seen.holder : null;
  const wait = (why: Obstacle, by = holder): Judgement => ({ kind: 'wait', why, holder: by });
  const isOurs = holder?.instance === standing.self.instance;
  const life = holder === null || isOurs ? 'unknown' : standing.lifeOf(holder);
  const other = seen.presence !== undefined && seen.presence.instance !== standing.self.instance;
  // Somebody who does not look at holder keys, and of whom nothing is known but that.
  if (other && (isOurs || holder === null || seen.presence?.instance !== holder.instance))
    return wait(isNoPredecessor(standing) ? 'present' : 'predecessor', null);
  if (isOurs) return { kind: 'take' };
  // A process that is stopped or stuck loses its lease, and continues when it wakes up.
  if (life === 'alive') return wait('alive');
  const isTrusted = standing.remembered.refusedBy === undefined;
  if (life === 'dead' && (isTrusted || standing.isAdopted)) return { kind: 'take' };
  if (other) return wait(isNoPredecessor(standing) ? 'present' : 'predecessor');
  if (standing.isAdopted) return { kind: 'take' };
  if (seen.holder === undefined) return isFree(standing) ? { kind: 'take' } : wait('elsewhere');
  if (holder === null) return wait('elsewhere');
  const isNext = standing.isLongGone || (isTrusted && isSuccessor(holder, standing));
  return isNext ? { kind: 'take' } : wait('elsewhere');
};

/** Whoever was refused once has no predecessor there, dead or alive. */
const isNoPredecessor = ({ isProven, remembered }: Standing): boolean => isProven || remembered.refusedBy !== undefined;

/** Where an earlier version had the name, nothing in etcd says for how long it has been free. */
const isFree = ({ remembered: { refusedBy }, isLongFree }: Standing): boolean =>
  refusedBy === undefined || refusedBy.holder !== null || isLongFree;

const isSuccessor = (holder: Holder, { self, remembered }: Standing): boolean =>
  holder.machine === self.machine && remembered.instances.includes(holder.instance);

/** Whether this process has its name. `since`: ms since the epoch. */
export type NameState =
  /** etcd has not answered yet. */
  | { readonly kind: 'asking'; readonly since: number }
  /** Goes on while etcd is away. `rivals`: who else asks for the name, and is refused. */
  | { readonly kind: 'held'; readonly since: number; readonly rivals: readonly Holder[] }
  /** `waiting`: for the end of a lease that is probably of our own last process. */
  | {
      readonly kind: 'waiting' | 'refused';
      readonly since: number;
      readonly why: Obstacle;
      /** Null: an earlier version, which says nothing of itself. */
      readonly holder: Holder | null;
    };

interface Words {
  readonly what: string;
  readonly remedy: string;
}

const twin =
  'Give each machine a name of its own in [node] name, or stop the other daemon. This one tries again by itself.';

/** What to say to people, and what they can do. */
export const obstacleInWords = (node: string, why: Obstacle, holder: Holder | null): Words => {
  const who = holder === null ? 'a daemon of an earlier version' : inWords(holder);
  switch (why) {
    case 'alive':
    case 'present':
      return { what: `The name ${node} belongs to another daemon that runs: ${who}`, remedy: twin };
    case 'predecessor':
      return {
        what: `The name ${node} still belongs to ${who}, which may have ended; waiting for the end of its lease`,
        remedy: 'Nothing: the name is free within a minute if that daemon has ended.',
      };
    case 'elsewhere':
      return {
        what: `The name ${node} belongs to another machine: ${holder === null ? 'its daemon was seen there' : who}`,
        remedy: `If this machine replaces that one, run: trigger node adopt ${node}. Without [node] takeover = "adopt" that happens by itself, 10 to 14 minutes after the other daemon’s end.`,
      };
  }
};
