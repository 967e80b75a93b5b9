import type { Readable } from 'node:stream';
import type { Job } from '../../domain/job.ts';

export interface OutputOptions {
  /** Goes on until the job has ended. */
  readonly follow: boolean;
  /** Begins with so many of the last lines that are there; undefined: with the first byte. */
  readonly lines: number | undefined;
  /** Begins with this byte, whatever `lines` says. */
  readonly from: number | undefined;
  /** `err`: of a job that keeps stderr apart, else `input-invalid`. Undefined: `out`. */
  readonly stream?: 'out' | 'err' | undefined;
}

export interface Outputs {
  open(job: Job, options: OutputOptions, signal: AbortSignal): Promise<Output>;
}

export interface Output {
  /** Number of the first byte that comes. */
  readonly from: number;
  readonly bytes: Readable;
}
