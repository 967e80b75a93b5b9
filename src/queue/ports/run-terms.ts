/** What a job may use; undefined: as much as the system gives. */
export interface JobLimits {
  readonly memoryBytes?: number | undefined;
  /** Processes and threads. */
  readonly processes?: number | undefined;
  /** Of each process. */
  readonly openFiles?: number | undefined;
  /** Processor time of each process. */
  readonly cpuMs?: number | undefined;
}

/**
 * What the end of a run is judged by, as it was at the start: by the end the plugin may be gone or another one (the run
 * may itself upgrade triggerd), and the configuration may have changed. The runner gives it back with the ending.
 */
export interface RunTerms {
  readonly driver: string;
  readonly successExitCodes: readonly number[];
  /** Missing in a plan of before. */
  readonly retryExitCodes?: readonly number[];
  /** The command line as started. */
  readonly argv: readonly string[];
}
