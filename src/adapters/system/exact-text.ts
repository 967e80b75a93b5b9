/**
 * Node decodes arguments, the environment and the working folder as UTF-8, and puts U+FFFD in place of each byte that is
 * not. Another file may have that name: the bytes are compared with what /proc has, and what was changed is refused.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync, readlinkSync } from 'node:fs';
import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';

/** What Node has put in place of a byte; also a character that people may type. */
const replacement = '\ufffd';

/** Variables that these programs read or pass on, besides their own. */
const usedVariables = /^(?:TRIGGERD_.*|HOME|PATH|SUDO_USER|XDG_STATE_HOME|NOTIFY_SOCKET)$/;

/** Throws `text-not-utf8` where an argument, or a variable that counts, is not the one that was given. */
export const assertExactText = (argv = process.argv.slice(2), env: NodeJS.ProcessEnv = process.env): void => {
  assertExactArguments(argv);
  assertExactVariables(env);
};

/** Throws `text-not-utf8` where the name of the working folder is not one that JSON can carry. */
export const workingFolder = (): string => {
  const folder = process.cwd();
  if (!folder.includes(replacement)) return folder;
  const bytes = readlinkSync('/proc/self/cwd', 'buffer');
  if (!isUtf8(bytes)) throw notUtf8('the working folder', bytes);
  return folder;
};

const assertExactArguments = (argv: readonly string[]): void => {
  if (!argv.some((each) => each.includes(replacement))) return;
  // Node and its script come first, with options of Node's own.
  const words = wordsOf('/proc/self/cmdline').slice(-argv.length);
  words.forEach((bytes, at) => {
    if (!isUtf8(bytes)) throw notUtf8(`argument ${at + 1}`, bytes);
  });
};

/** The same for every variable: for whoever passes on all of them. */
export const assertExactEnvironment = (env: NodeJS.ProcessEnv = process.env): void => assertExactVariables(env, /^/);

const assertExactVariables = (env: NodeJS.ProcessEnv, which = usedVariables): void => {
  const isSuspect = ([name, value = '']: [string, string | undefined]): boolean =>
    which.test(name) && (name.includes(replacement) || value.includes(replacement));
  if (!Object.entries(env).some(isSuspect)) return;
  for (const bytes of wordsOf('/proc/self/environ')) {
    const [name = ''] = bytes.toString().split('=', 1);
    if (which.test(name) && !isUtf8(bytes)) throw notUtf8(`$${name}`, bytes.subarray(bytes.indexOf('=') + 1));
  }
};

const wordsOf = (file: string): Buffer[] => {
  const bytes = readFileSync(file);
  const words: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from);
    words.push(bytes.subarray(from, end < 0 ? bytes.length : end));
    from = end < 0 ? bytes.length : end + 1;
  }
  return words;
};

const notUtf8 = (what: string, bytes: Buffer): TriggerdError =>
  new TriggerdError('text-not-utf8', `${what} is not UTF-8: ${escapedBytes(bytes)}`);

/** Bytes as a shell's `$'…'` has them: what is no UTF-8 shows as `\xe9`, the first 100 bytes. */
export const escapedBytes = (bytes: Buffer): string => {
  const shown = bytes.subarray(0, 100);
  let text = '';
  for (let at = 0; at < shown.length; ) {
    const length = characterLength(shown, at);
    text +=
      length === 0
        ? `\\x${(shown[at] ?? 0).toString(16).padStart(2, '0')}`
        : visible(shown.toString('utf8', at, at + length));
    at += Math.max(1, length);
  }
  return `$'${text}${bytes.length > shown.length ? '…' : ''}'`;
};

/** Of the character that begins there; 0 where none does. */
const characterLength = (bytes: Buffer, at: number): number => {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++)
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
};
