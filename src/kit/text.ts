/** Foreign text on one line, without a chance to drive the terminal or to forge another line. */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => escapes[char] ?? hexEscape(char));

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };
const hexEscape = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

/** JSON can say what UTF-8 cannot: it would become U+FFFD on its way to a program. */
export const hasLoneSurrogate = (text: string): boolean => /\p{Cs}/u.test(text);
