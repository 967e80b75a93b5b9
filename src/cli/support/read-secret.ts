/** Passwords come from standard input or from a terminal that does not show them; never from the command line, which everybody on the machine can read. */
import { isUtf8 } from 'node:buffer';
import { TriggerdError } from '../../domain/errors.ts';
import { Interrupted } from './interruption.ts';

export interface SecretOption {
  readonly passwordStdin?: boolean;
}

/** More than any password; a file given by mistake ends here. */
const maxBytes = 4096;

/** A new password: of standard input with `--password-stdin`, else typed twice. Throws `usage`, `Interrupted`. */
export const readNewSecret = async ({ passwordStdin }: SecretOption, whose: string): Promise<string> => {
  if (passwordStdin === true) return readSecretFromStdin();
  if (process.stdin.isTTY !== true)
    throw new TriggerdError(
      'usage',
      `there is no terminal to ask for the password of ${whose}: send it on stdin, with --password-stdin`,
    );
  const keys = openKeys();
  try {
    const secret = await keys.line(`New password of ${whose}: `);
    if ((await keys.line('The same again: ')) !== secret) throw new TriggerdError('usage', 'the two passwords differ');
    return secret;
  } finally {
    keys.close();
  }
};

/** All of standard input, without the end of its line. */
export const readSecretFromStdin = async (): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new TriggerdError('usage', `the password on stdin has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  // Two passwords would be the same one.
  if (!isUtf8(bytes)) throw new TriggerdError('text-not-utf8', 'the password on stdin is not UTF-8');
  const secret = bytes.toString().replace(/\r?\n$/, '');
  if (secret === '') throw new TriggerdError('usage', 'there is no password on stdin');
  return secret;
};

/** Ctrl-C, Ctrl-D. */
const interrupts = ['\u0003', '\u0004'] as const;

interface Keys {
  /** Asks for one line. Throws `Interrupted`, also when the terminal is gone. */
  line(prompt: string): Promise<string>;
  close(): void;
}

/** The keys of the terminal, unseen from now on until `close`; what is typed ahead counts. */
const openKeys = (): Keys => {
  const { stdin, stderr } = process;
  let typed = '';
  let isGone = false;
  let wake = (): void => undefined;
  const onKeys = (keys: string): void => {
    typed = erased(typed + keys);
    wake();
  };
  const onGone = (): void => {
    isGone = true;
    wake();
  };
  stdin.setRawMode(true).setEncoding('utf8').on('data', onKeys).on('end', onGone).on('error', onGone);

  const nextLine = async (): Promise<string> => {
    for (;;) {
      if (interrupts.some((each) => typed.includes(each))) throw new Interrupted();
      const [line = '', ...rest] = typed.split(/[\r\n]/);
      if (rest.length > 0) {
        typed = typed.slice(line.length + 1);
        return line;
      }
      if (isGone) throw new Interrupted();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    line: async (prompt) => {
      stderr.write(prompt);
      try {
        return await nextLine();
      } finally {
        stderr.write('\n');
      }
    },
    close: () => {
      stdin.off('data', onKeys).off('end', onGone).off('error', onGone).pause();
      if (!isGone) stdin.setRawMode(false);
    },
  };
};

/** With what Backspace has taken away: of its own line only. */
const erased = (typed: string): string => {
  const kept: string[] = [];
  for (const each of typed)
    if (each !== '\u007f' && each !== '\b') kept.push(each);
    else if (!/[\r\n]/.test(kept.at(-1) ?? '')) kept.pop();
  return kept.join('');
};
