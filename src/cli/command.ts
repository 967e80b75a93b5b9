/** What a command is made of. */
import type { Command } from 'commander';
import type { Canvas } from './render/firing.ts';
import type { HelpText } from './support/options.ts';
import { print, type Session } from './support/session.ts';

/** Gives a command its arguments, options and action. */
export type Define = (command: Command, run: Run) => unknown;

/** Makes commander's action of a handler, which gets the session, then the arguments and options; gives the exit code, or 0. */
export type Run = <Args extends readonly unknown[]>(
  handler: (session: Session, ...args: Args) => Promise<number> | Promise<void>,
) => (...args: [...Args, ...unknown[]]) => Promise<void>;

/** A verb of a noun, such as `trigger queue add`: its line in the noun's help, its own help, what it takes and does. */
export interface Verb extends HelpText {
  readonly summary: string;
  readonly define: Define;
}

export type Verbs = Readonly<Record<string, Verb>>;

/** What a file in commands/ has: what the command does itself, and its verbs. */
export interface CommandFile {
  readonly help?: HelpText;
  readonly define?: Define;
  readonly verbs?: Verbs;
}

/** A command's line in `trigger --help`, and its file. */
export interface CommandEntry {
  readonly summary: string;
  readonly alias?: string;
  readonly load: () => Promise<CommandFile>;
}

/** A command that prints one answer of the daemon. */
export const printing =
  <View>(path: string, rendered: (view: View, canvas: Canvas) => string): Define =>
  (command, run) =>
    command.action(
      run(async (session) => {
        const view = await session.client.request<View>(path);
        await print(session, view, (canvas) => rendered(view, canvas));
      }),
    );
