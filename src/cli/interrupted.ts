/** The user pressed Ctrl-C. Not an error of the catalogue: nothing failed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export const interruptedExitCode = 130;
