import { type Holder, inWords } from './holder.ts';
import type { Obstacle } from './judge.ts';

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

export interface Words {
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
