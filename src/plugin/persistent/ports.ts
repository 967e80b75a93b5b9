import type { PersistentProgram } from '../../queue/ports/runner.ts';

/** Starts the process of a persistent plugin. Nothing is told before this has returned. Never throws. */
export type StartPersistent = (program: PersistentProgram, listener: ProcessListener) => PersistentProcess;

export interface PersistentProcess {
  /** Gives it a line; lines that come together are written together. */
  write(line: string): void;
  /** Bytes that it has not taken yet. */
  readonly unread: number;
  /** No more input: it is to end by itself. */
  endInput(): void;
  /** Ends it with all that it has started: TERM, KILL after `graceMs`. */
  stop(graceMs: number): void;
}

export interface ProcessListener {
  line(text: string): void;
  /** A line of more than `maxLineLength` characters: nothing more comes. */
  lineTooLong(): void;
  stderr(bytes: Buffer): void;
  /** Once, when it and its output have ended. */
  gone(how: string): void;
}

/** Characters of one line from a plugin. */
export const maxLineLength = 4 * 1024 * 1024;
