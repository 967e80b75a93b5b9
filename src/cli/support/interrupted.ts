/**
 * The user pressed Ctrl-C, or left in another way (`interruption.ts`). Not an error of the catalogue: nothing failed.
 * `wasFollowing`: what has not ended was followed, so that the exit code must not look like its end.
 */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly wasFollowing: boolean;

  constructor({ wasFollowing = false } = {}) {
    super('interrupted');
    this.wasFollowing = wasFollowing;
  }
}

export const interruptedExitCode = 130;
