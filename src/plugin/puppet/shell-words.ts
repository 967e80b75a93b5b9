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
