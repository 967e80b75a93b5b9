import { type Progress, startProgress } from '../support/progress.ts';
import type { Terminal } from '../support/terminal.ts';

export interface LiveNotes {
  /** Says something to the person who asked, on a line of its own. */
  readonly note: (text: string) => void;
  /** Shows how far it is, from now on. */
  readonly progress: (describe: (elapsedS: number) => string) => Progress;
}

/** What is said while a line on the terminal shows how far it is: that line makes way. */
export const liveNotes = (terminal: Terminal, say: (text: string) => void): LiveNotes => {
  let progress: Progress | undefined;
  return {
    note: (text) => {
      progress?.clear();
      say(text);
    },
    progress: (describe) => {
      progress = startProgress(terminal, describe);
      return progress;
    },
  };
};
