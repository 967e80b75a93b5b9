import type { JobLimits, RunExit } from '../../queue/ports/runner.ts';
import type { Order } from './job-files.ts';

/** A way to get a runner for an order. */
export interface Launcher {
  /** Resolves when the job has ended. Throws when there is no way to start it; then nothing has been started. */
  launch(order: Order, limits: JobLimits): Promise<RunExit | 'never-started' | 'lost'>;
  close(): void;
}
