import type { EtcdSpace } from './etcd-space.ts';

/** What keeps an etcd itself in order. Every call throws the store's errors; `etcd-refused`: this user has no right to it. */
export interface EtcdMaintenance {
  /** Of the members that are configured and answer. */
  measure(): Promise<EtcdSpace>;
  /** Every member of the cluster. */
  members(): Promise<MemberState[]>;
  /** Forgets what was overwritten or deleted before this revision; resolves when its space is free inside the file. */
  compact(revision: bigint): Promise<void>;
  /** Rewrites a member's file without the free space. The member answers nobody meanwhile. */
  defragment(endpoint: string): Promise<void>;
  disarmNoSpace(): Promise<void>;
  /** Whether there are keys outside our prefix. */
  hasOtherKeys(): Promise<boolean>;
}

export type MemberState =
  | { readonly kind: 'away'; readonly id: string; readonly name: string }
  | ({
      readonly kind: 'up';
      readonly id: string;
      readonly endpoint: string;
      readonly version: string;
      /** The store's revision that this member has reached. */
      readonly revision: bigint;
      readonly isLeader: boolean;
      /** It has a leader, is no learner, and complains of nothing but its space. */
      readonly isHealthy: boolean;
      readonly hasNoSpace: boolean;
    } & EtcdSpace);
