/** Command lines with a command line inside one of their words. Pure. */

const shells = new Set(['sh', 'ash', 'bash', 'dash', 'ksh', 'mksh', 'zsh', 'su', 'runuser']);

const nameOf = (word: string): string => word.slice(word.lastIndexOf('/') + 1);

/** The text that a shell is told to run (`sh -c TEXT`, `su USER -c TEXT`, `flock LOCK -c TEXT`); undefined: this is no shell. */
export const shellTextIn = (argv: readonly string[]): string | undefined => {
  const [program = ''] = argv;
  if (program === '-c' || program === '--command') return argv[1];
  if (!shells.has(nameOf(program))) return undefined;
  const joined = argv.find((word) => word.startsWith('--command='));
  if (joined !== undefined) return joined.slice('--command='.length);
  const at = argv.findIndex((word) => /^-[a-z]*c$/.test(word) || word === '--command');
  return at === -1 ? undefined : argv[at + 1];
};

/** Whether some word of this is a text for a shell that runs Puppet: nothing can be added in there. */
export const isPuppetInShell = (argv: readonly string[]): boolean =>
  argv.some((_word, at) => puppetInText.test(shellTextIn(argv.slice(at)) ?? ''));

const puppetInText = /(^|[\s/;&|("'])puppet\s+([^;&|]*\s)?(agent|apply)\b/;

/** `env -S "A B" C` is `env A B C`; as it was where `env` would do more than to split it. */
export const withoutSplitString = (argv: readonly string[]): readonly string[] => {
  const env = argv.findIndex((word) => nameOf(word) === 'env');
  if (env === -1) return argv;
  for (let at = env + 1; argv[at]?.startsWith('-'); at += 1) {
    const word = argv[at] ?? '';
    if (/^(-[uC]|--unset|--chdir)$/.test(word)) at += 1;
    const [, flags, joined] = /^(-[iv]*)S(.*)$/s.exec(word) ?? /^()--split-string=(.*)$/s.exec(word) ?? [];
    const isApart = joined === '' || word === '--split-string';
    if (joined === undefined && !isApart) continue;
    const [words, ...more] = simpleCommands((isApart ? argv[at + 1] : joined) ?? '') ?? [];
    if (words === undefined || more.length > 0) return argv;
    const kept = flags === undefined || flags.length < 2 ? [] : [flags];
    return [...argv.slice(0, at), ...kept, ...words, ...argv.slice(at + (isApart ? 2 : 1))];
  }
  return argv;
};

/**
 * Reads the words of a small shell command, or of `env -S`: quotes and backslashes, no expansion. Pure.
 */

/** The simple commands in a line, each in words; null for what only a shell can know: `$`, `` ` ``, a quote without end. */
export const simpleCommands = (text: string): readonly (readonly string[])[] | null => {
  const commands: string[][] = [[]];
  let word: string | null = null;
  const endWord = (): void => {
    if (word !== null) commands.at(-1)?.push(word);
    word = null;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '$' || character === '`') return null;
    if (character === "'" || character === '"') {
      const quoted = readQuoted(text, at);
      if (quoted === null) return null;
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else if (character === '\\') {
      at += 1;
      word = (word ?? '') + (text[at] ?? '');
    } else if (/\s/.test(character)) {
      endWord();
      if (character === '\n') commands.push([]);
    } else if (';&|()'.includes(character)) {
      endWord();
      commands.push([]);
    } else word = (word ?? '') + character;
  }
  endWord();
  return commands.filter((words) => words.length > 0);
};

const readQuoted = (text: string, begin: number): { text: string; end: number } | null => {
  const quote = text[begin];
  let found = '';
  for (let at = begin + 1; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === quote) return { text: found, end: at };
    if (quote === '"' && (character === '$' || character === '`')) return null;
    if (quote === '"' && character === '\\') at += 1;
    found += text[at] ?? '';
  }
  return null;
};
