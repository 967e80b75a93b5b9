import { createTerminalFilter } from '../domain/terminal-filter.ts';

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
      // A slow reader slows us down, instead of filling our memory.
      new Promise((resolve) => {
        if (stdout.write(text)) resolve();
        else stdout.once('drain', resolve);
      }),
    err: (text) => {
      stderr.write(text);
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
  process.once('exit', () => void stream.write(filter.end()));
  return (text) => write(filter.take(text));
};

/** `--raw`: all bytes, also to a terminal. */
export const outletsOf = (terminal: Terminal, { raw = false }: { readonly raw?: boolean | undefined }): Outlets =>
  raw ? terminal.raw : terminal;

/** `$COLUMNS` (which `watch` sets, and pipes its children) before the terminal's own width. */
const widthOf = (fromEnvironment: string | undefined, ofTerminal: number | undefined): number | null => {
  if (fromEnvironment !== undefined && /^[1-9]\d{0,4}$/.test(fromEnvironment)) return Number(fromEnvironment);
  return ofTerminal ?? null;
};

/** When the reader of a pipe goes away (`trigger queue | head`), there is nobody left to complain to. */
export const endQuietlyOnBrokenPipe = (): void => {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      if (stream === process.stdout) process.stderr.write(`trigger: can not write the output: ${error.message}\n`);
      process.exit(1);
    });
};
