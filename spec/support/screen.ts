import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** A real terminal (tmux) of 24 lines, with a program in it. */
export interface Screen {
  /** Types text as it stands. */
  type(text: string): Promise<void>;
  /** Presses a key by its name in tmux: `Enter`, `Tab`, `C-c`. */
  press(key: string): Promise<void>;
  /** What is to be seen, line by line; with `colors` as the terminal got it. */
  lines(options?: { readonly colors?: boolean }): Promise<string[]>;
  close(): Promise<void>;
}

export interface ScreenOptions {
  readonly columns?: number;
  /** Default: 24. */
  readonly height?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export const openScreen = async (
  argv: readonly string[],
  { columns = 80, height = 24, env = {} }: ScreenOptions = {},
): Promise<Screen> => {
  const folder = mkdtempSync(join(tmpdir(), 'screen-'));
  const tmux = async (...args: string[]): Promise<string> => {
    const { stdout } = await execa('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', '-u', ...args], {
      extendEnv: false,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, LANG: 'C.UTF-8', TERM: 'xterm', ...env },
      stdin: 'ignore',
    });
    return stdout;
  };
  // The pane stays when its program has ended, so that what it wrote can be read.
  const stay = ['set', '-g', 'remain-on-exit', 'on', ';'];
  await tmux(
    'start',
    ';',
    ...stay,
    'new',
    '-d',
    '-x',
    String(columns),
    '-y',
    String(height),
    '-c',
    folder,
    '--',
    ...argv,
  );
  return {
    type: async (text) => void (await tmux('send-keys', '-l', '--', text)),
    press: async (key) => void (await tmux('send-keys', key)),
    lines: async ({ colors = false } = {}) => (await tmux('capture-pane', '-p', ...(colors ? ['-e'] : []))).split('\n'),
    close: async () => {
      await tmux('kill-server');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
