/** The words of a statement, quoted as in a shell: 'as it stands', "with \" and \\", and a\ blank. `#` begins a comment. */
import { TriggerdError } from '../domain/errors.ts';

export interface Word {
  readonly text: string;
  /** Where it begins, from 0, and what is behind it. */
  readonly at: number;
  readonly end: number;
  /** A quoted word is never one of the grammar's own. */
  readonly quoted: boolean;
}

/** A text that is in no line of people's, but could be somebody's mistake: a binary file, a whole log. */
const maxLength = 65_536;

/** Throws `statement-invalid` for a quote that is not closed. */
export const wordsOf = (line: string): Word[] => {
  if (line.length > maxLength)
    throw new TriggerdError('statement-invalid', `a statement has at most ${maxLength} characters`);
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(line[at] ?? '')) at++;
    if (at >= line.length || line[at] === '#') return words;
    const word = readWord(line, at);
    words.push(word);
    at = word.end;
  }
};

const readWord = (line: string, start: number): Word => {
  let text = '';
  let quoted = false;
  let at = start;
  while (at < line.length && !/\s/.test(line[at] ?? '')) {
    const char = line[at] ?? '';
    const piece = char === "'" || char === '"' ? readQuoted(line, at, char) : readPlain(line, at);
    quoted ||= piece.end > at + 1;
    text += piece.text;
    at = piece.end;
  }
  return { text, at: start, end: at, quoted };
};

const readPlain = (line: string, at: number): { text: string; end: number } => {
  if (line[at] !== '\\') return { text: line[at] ?? '', end: at + 1 };
  if (at + 1 === line.length) throw unclosed('\\', at);
  return { text: line[at + 1] ?? '', end: at + 2 };
};

const readQuoted = (line: string, start: number, quote: string): { text: string; end: number } => {
  let text = '';
  for (let at = start + 1; at < line.length; at++) {
    const char = line[at] ?? '';
    if (char === quote) return { text, end: at + 1 };
    const escaped = quote === '"' && char === '\\' && /["\\]/.test(line[at + 1] ?? '');
    text += escaped ? line[++at] : char;
  }
  throw unclosed(quote, start);
};

const unclosed = (quote: string, at: number): TriggerdError => {
  const what = quote === '\\' ? 'nothing follows the backslash' : `the quote ${quote} is not closed`;
  return new TriggerdError('statement-invalid', `column ${at + 1}: ${what}`, { details: { column: at + 1 } });
};
