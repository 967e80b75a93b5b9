/** Wraps the prose of a page at 100 columns. Code, tables, headings, comments and lines that end in a hard break stay as they are. */
const width = 100;

const isFixed = (line: string): boolean =>
  line.trim() === '' || /^\s*(\||#|<!--|```|---$)/.test(line) || /(\\| {2})$/.test(line) || /^\[[^\]]+\]: /.test(line);

const item = /^(\s*)((?:[-*]|\d+\.)\s+)(.*)$/;

interface Block {
  /** What stands before the first line, and before those that follow. */
  readonly first: string;
  readonly rest: string;
  text: string;
}

/** A word that would mean something else at the start of a line: a list, a heading, a quotation. */
const mustNotBegin = (word: string): boolean => /^([-*+>#|]|\d+[.)]$|#+$)/.test(word);

const linesOf = ({ first, rest, text }: Block): string[] => {
  const lines: string[] = [];
  let line = first;
  for (const word of wordsOf(text)) {
    const isEmpty = line === first || line === rest;
    if (!isEmpty && line.length + 1 + word.length > width && !mustNotBegin(word)) {
      lines.push(line);
      line = rest + word;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...lines, line];
};

/** Words; a span of code is one, with its spaces. */
const wordsOf = (text: string): string[] =>
  text
    .trim()
    .split(/(`[^`]*`)/)
    .flatMap((part, index) => (index % 2 === 1 ? [part] : part.split(/(?<=\s)|(?=\s)/)))
    .reduce<string[]>(joined, [''])
    .filter((word) => word !== '');

const joined = (words: string[], part: string): string[] => {
  if (/^\s*$/.test(part)) return part === '' ? words : [...words, ''];
  return [...words.slice(0, -1), (words.at(-1) ?? '') + part];
};

/** The same page, with its prose wrapped; a page that is wrapped stays as it is. */
export const wrapped = (page: string): string => {
  const out: string[] = [];
  let block: Block | undefined;
  let fence: string | undefined;
  let inComment = false;
  const flush = (): void => {
    if (block !== undefined) out.push(...linesOf(block));
    block = undefined;
  };
  for (const line of page.split('\n')) {
    const mark = /^\s*(```+)/.exec(line)?.[1];
    if (fence !== undefined || mark !== undefined || inComment || line.includes('<!--')) {
      flush();
      out.push(line);
      if (mark !== undefined) fence = fence === undefined ? mark : undefined;
      inComment = (inComment || line.includes('<!--')) && !line.includes('-->');
      continue;
    }
    const [, indent = '', bullet = '', text = ''] = item.exec(line) ?? [];
    if (isFixed(line)) {
      flush();
      out.push(line);
    } else if (bullet !== '') {
      flush();
      block = { first: indent + bullet, rest: indent + ' '.repeat(bullet.length), text };
    } else if (block !== undefined) block.text += ` ${line.trim()}`;
    else {
      const margin = /^\s*/.exec(line)?.[0] ?? '';
      block = { first: margin, rest: margin, text: line };
    }
  }
  flush();
  return out.join('\n');
};
