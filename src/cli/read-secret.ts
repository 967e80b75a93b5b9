/** Passwords come from standard input or from a terminal that does not show them; never from the command line, which everybody on the machine can read. */
import { once } from 'node:events';
import { TriggerdError } from '../domain/errors.ts';
import { Interrupted } from './interrupted.ts';

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
      `the password of ${whose} can’t be asked for: give it on stdin, with --password-stdin`,
    );
  const promptHidden = hiddenPrompts();
  const secret = await promptHidden(`New password of ${whose}: `);
  if ((await promptHidden('The same again: ')) !== secret)
    throw new TriggerdError('usage', 'the two passwords are not the same');
  return secret;
};

/** All of standard input, without the end of its line. */
export const readSecretFromStdin = async (): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes)
      throw new TriggerdError('usage', `what is on stdin is no password: more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const secret = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (secret === '') throw new TriggerdError('usage', 'there is no password on stdin');
  return secret;
};

/** Ctrl-C, Ctrl-D. */
const interrupts = ['\u0003', '\u0004'] as const;

/** Asks for one line of the terminal after the other, unseen; what is typed ahead counts. Throws `Interrupted`. */
const hiddenPrompts = () => {
  const { stdin, stderr } = process;
  let ahead = '';
  return async (prompt: string): Promise<string> => {
    stderr.write(prompt);
    stdin.setRawMode(true).setEncoding('utf8');
    try {
      for (let typed = erased(ahead); ; typed = erased(typed + (await nextKeys()))) {
        if (interrupts.some((each) => typed.includes(each))) throw new Interrupted();
        const end = typed.search(/[\r\n]/);
        if (end < 0) continue;
        ahead = typed.slice(end + 1);
        return typed.slice(0, end);
      }
    } finally {
      stdin.setRawMode(false);
      stderr.write('\n');
    }
  };
};

/** Throws `Interrupted` when the terminal is gone. */
const nextKeys = async (): Promise<string> => {
  const { stdin } = process;
  const over = new AbortController();
  const { signal } = over;
  const gone = once(stdin, 'end', { signal }).then(() => {
    throw new Interrupted();
  });
  stdin.resume();
  try {
    const [keys] = await Promise.race([once(stdin, 'data', { signal }), gone]);
    return String(keys);
  } finally {
    stdin.pause();
    over.abort();
  }
};

/** With what Backspace has taken away. */
const erased = (typed: string): string => {
  const kept: string[] = [];
  for (const each of typed)
    if (each === '\u007f' || each === '\b') kept.pop();
    else kept.push(each);
  return kept.join('');
};
