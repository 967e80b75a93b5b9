export interface QueueView {
  readonly name: string;
  readonly slots: number;
  readonly paused: boolean;
  readonly draining: boolean;
  readonly queued: number;
  readonly running: number;
  readonly deferred: number;
}
