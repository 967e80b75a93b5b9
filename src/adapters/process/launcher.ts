import type { RunExit } from '../../queue/ports/run-exit.ts';
import type { JobLimits } from '../../queue/ports/run-terms.ts';
import type { Order } from './job-files.ts';

/** A way to get a runner for an order. */
export interface Launcher {
  /** Resolves when the job has ended. Throws when there is no way to start it; then nothing has been started. */
  launch(order: Order, limits: JobLimits): Promise<RunExit | 'never-started' | 'lost'>;
  close(): void;
}
