/** How the output of a job is read while it is written. */
export interface OutputReader {
  /**
   * Gives the output from the first byte to `sink`, one piece after the other, as it is written; waits for each. With
   * `isEnded` nothing is waited for. `sink` is not called before this has returned. `from`: bytes that are known already.
   */
  read(folder: string, isEnded: boolean, sink: OutputSink, from?: number): OutputReading;
}

export interface OutputReading {
  /** The job has ended: resolves when all of its output has been given to the sink. Rejects when it can't be read. */
  finish(): Promise<OutputSummary>;
  /** Gives nothing more, but for a piece that is on its way. */
  stop(): void;
}

export interface OutputPiece {
  readonly stream: 'out' | 'err';
  readonly bytes: Buffer;
}

export type OutputSink = (piece: OutputPiece) => Promise<void>;

export interface OutputSummary {
  readonly bytes: number;
  /** The last of it, `tailBytes` at most. */
  readonly tail: Buffer;
}
