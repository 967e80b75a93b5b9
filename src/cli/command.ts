/** What a command is made of. */
import type { Command } from 'commander';
import type { Session } from './support/session.ts';

/** Gives a command its arguments, options, help and action. */
export type Define = (command: Command, run: Run) => void;

/** Makes commander's action of a handler, which gets the session, then the arguments and options; gives the exit code. */
export type Run = <Args extends readonly unknown[]>(
  handler: (session: Session, ...args: Args) => Promise<number>,
) => (...args: [...Args, ...unknown[]]) => Promise<void>;

export interface CommandEntry {
  readonly summary: string;
  readonly alias?: string;
  readonly load?: () => Promise<{ readonly define: Define }>;
  readonly verbs?: Readonly<Record<string, CommandEntry>>;
}
