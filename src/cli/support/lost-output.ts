import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Node.js gives a terminal back its settings when it ends, and crashes when the terminal was closed meanwhile (an assertion
 * in `ResetStdio`, seen as SIGABRT or SIGSEGV). It leaves alone what is closed here.
 */
export const surviveClosedTerminal = (): void => {
  process.once('exit', () => {
    for (const fd of [0, 1, 2]) if (isClosedTerminal(fd)) closeSync(fd);
  });
};

/** Also of another device that nobody writes to any more, such as `/dev/null`; closing that changes nothing. */
const isClosedTerminal = (fd: number): boolean => {
  try {
    return fstatSync(fd).isCharacterDevice() && !isatty(fd);
  } catch {
    return false;
  }
};

/** For daemons: what cannot be said (a full disk, a reader or terminal that is gone) is lost, and ends nothing. */
export const surviveLostOutput = (): void => {
  surviveClosedTerminal();
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
};
