import type { NameView } from './nodes.ts';
import type { QueueView } from './queues.ts';

export interface HealthView {
  readonly node: string;
  readonly version: string;
  readonly pid: number;
  readonly started_at: string;
  readonly state_dir: string;
  readonly config_file: string | null;
  readonly etcd: {
    readonly connected: boolean;
    readonly endpoints: readonly string[];
    readonly last_error: string | null;
    readonly since: string;
  };
  /** Whether this process has the node's name; missing where it needs none, and in an earlier version. */
  readonly name?: NameView;
  readonly watching: boolean;
  /** Firings on this node's disk that etcd does not have yet. */
  readonly spool: { readonly waiting: number; readonly oldest_at: string | null };
  readonly queues: readonly QueueView[];
}
