/** Text that fits a terminal: display width, cutting, and control characters made visible. */

/** Foreign text on one line, without a chance to drive the terminal or to forge another line. */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => escapes[char] ?? hexEscape(char));

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };
const hexEscape = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const zero = /\p{M}/u;

const charWidth = (char: string): number => {
  if (char < '\u0300') return 1;
  if (zero.test(char)) return 0;
  return wide.test(char) ? 2 : 1;
};

/** Columns that a text takes on a terminal. */
export const widthOf = (text: string): number => {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
};

export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** The text in at most `width` columns; what was cut shows as `…`. */
export const cutEnd = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  let cut = '';
  let used = 1;
  for (const char of text) {
    used += charWidth(char);
    if (used > width) break;
    cut += char;
  }
  return width < 1 ? '' : `${cut}…`;
};

/** The same from the other side: for paths, whose end says most. */
export const cutStart = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  let cut = '';
  let used = 1;
  for (const char of [...text].reverse()) {
    used += charWidth(char);
    if (used > width) break;
    cut = char + cut;
  }
  return width < 1 ? '' : `…${cut}`;
};

/** The text in lines of at most `width` columns, broken between words; a longer word is broken where it must be. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, width))) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
};

const pieces = (word: string, width: number): string[] => {
  if (widthOf(word) <= width) return [word];
  const found: string[] = [''];
  for (const char of word) {
    const last = found[found.length - 1] ?? '';
    if (widthOf(last) + widthOf(char) > width) found.push(char);
    else found[found.length - 1] = last + char;
  }
  return found;
};

/** JSON can say what UTF-8 cannot: it would become U+FFFD on its way to a program. */
export const hasLoneSurrogate = (text: string): boolean => /\p{Cs}/u.test(text);
