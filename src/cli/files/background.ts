import { spawn } from 'node:child_process';

/** What the process in the background says until it is mounted. */
type Note = { readonly said: string } | { readonly isReady: true };

/**
 * Starts the same command once more, in a session of its own, and waits until it is mounted; shows what it says until
 * then. Nothing of this terminal stays open in it. Returns the exit code.
 */
export const goToBackground = (argv: readonly string[]): Promise<number> => {
  const child = spawn(process.execPath, [...process.execArgv, ...argv], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve) => {
    child.on('message', (note: Note) => {
      if ('said' in note) process.stderr.write(note.said);
      else {
        child.unref();
        child.disconnect();
        resolve(0);
      }
    });
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
};

/** Where we say things: to whoever has sent us to the background, else to the terminal. `then` comes when it is said. */
export const say = (text: string, then: () => void = () => undefined): void => {
  if (process.send !== undefined) process.send({ said: text } satisfies Note, then);
  else process.stderr.write(text, then);
};

/** In the background: from now on nobody hears. */
export const tellReady = (): void => {
  process.send?.({ isReady: true } satisfies Note, () => process.disconnect?.());
};
