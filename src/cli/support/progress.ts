import type { Terminal } from './terminal.ts';

/** One line on the terminal that is rewritten while we wait; silent where nobody watches. */
export interface Progress {
  /** Takes the line away, so that something else can be printed. */
  clear(): void;
  stop(): void;
}

const clearLine = '\r\u001b[K';

/** `describe` gets the seconds since the start and is asked once a second. */
export const startProgress = (terminal: Terminal, describe: (elapsedS: number) => string): Progress => {
  if (!terminal.errIsTerminal) return { clear: () => undefined, stop: () => undefined };
  const startedAt = Date.now();
  const draw = () => terminal.raw.err(`${clearLine}${describe(Math.floor((Date.now() - startedAt) / 1000))}`);
  const timer = setInterval(draw, 1000).unref();
  draw();
  const clear = () => terminal.raw.err(clearLine);
  return {
    clear,
    stop: () => {
      clearInterval(timer);
      clear();
    },
  };
};
