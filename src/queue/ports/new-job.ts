import type { JobRequest } from '../../domain/job.ts';

export interface NewJob {
  readonly request: JobRequest;
  readonly command: string;
  /** Firings with the same key share one queued job; null never shares. */
  readonly coalescingKey: string | null;
  readonly at: number;
}
