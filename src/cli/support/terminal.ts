import { createTerminalFilter } from '../../kit/terminal-filter.ts';

export interface Outlets {
  readonly out: (text: string | Uint8Array) => Promise<void>;
  readonly err: (text: string | Uint8Array) => void;
}

/**
 * What this process writes to: data to stdout, chatter to stderr. Where that is a terminal, only text and colours reach
 * it; a pipe or a file gets every byte.
 */
export interface Terminal extends Outlets {
  /** The same unfiltered: for `--raw`, and for what we say to the terminal ourselves. */
  readonly raw: Outlets;
  /** Whether a person watches stdout, or stderr. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Width to fit; null: nobody looks, cut nothing. */
  readonly columns: number | null;
  readonly color: boolean;
}

export const processTerminal = (color: boolean): Terminal => {
  const { stdout, stderr, env } = process;
  const raw: Outlets = {
    out: (text) =>
      // A slow reader slows us down, instead of filling our memory; one that is gone has ended us by then.
      new Promise((resolve) => {
        if (isBroken(stdout) || stdout.write(text)) return resolve();
        const done = (): void => {
          stdout.off('drain', done).off('error', done);
          resolve();
        };
        stdout.once('drain', done).once('error', done);
      }),
    err: (text) => {
      if (!isBroken(stderr)) stderr.write(text);
    },
  };
  return {
    raw,
    out: filtered(stdout, raw.out),
    err: filtered(stderr, raw.err),
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    columns: widthOf(env['COLUMNS'], stdout.isTTY === true ? stdout.columns : undefined),
    color: color && stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
  };
};

const filtered = <T>(
  stream: NodeJS.WriteStream,
  write: (text: string | Uint8Array) => T,
): ((text: string | Uint8Array) => T) => {
  if (stream.isTTY !== true) return write;
  const filter = createTerminalFilter();
  process.once('exit', () => void (isBroken(stream) || stream.write(filter.end())));
  return (text) => write(filter.take(text));
};

/** Of every command that prints what a plugin has written. */
export const rawHelp = 'print all bytes, also to a terminal (default: text and colours)';

/** `--raw`: all bytes, also to a terminal. */
export const outletsOf = (terminal: Terminal, { raw = false }: { readonly raw?: boolean | undefined }): Outlets =>
  raw ? terminal.raw : terminal;

/** `$COLUMNS` (which `watch` sets, and pipes its children) before the terminal's own width. */
const widthOf = (fromEnvironment: string | undefined, ofTerminal: number | undefined): number | null => {
  if (fromEnvironment !== undefined && /^[1-9]\d{0,4}$/.test(fromEnvironment)) return Number(fromEnvironment);
  return ofTerminal ?? null;
};

/** What has failed once fails again; `watchForInterruption` has heard of it. */
const isBroken = (stream: NodeJS.WriteStream): boolean => stream.errored != null;
