/** Texts, numbers and truths as Ruby's Psych writes them. Pure, and linear in what there is to read. */

/** Escapes of a double-quoted text that are not the character itself. */
const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

/** Where the quotes that begin `text` end, or -1. */
export const closingQuote = (text: string): number => {
  const quote = text[0];
  for (let at = 1; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text[at] === quote) {
      if (quote === '"' || text[at + 1] !== quote) return at;
      at += 1;
    }
  }
  return -1;
};

/** What stands between quotes, its lines already folded. */
export const unquote = (quote: string, inner: string): string => {
  if (quote === "'") return inner.replaceAll("''", "'");
  return inner.replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gsu, (_all, x, u, U, other) =>
    other === undefined ? character(Number.parseInt(x ?? u ?? U, 16)) : (escapes[other] ?? other),
  );
};

const character = (code: number): string => (code <= 0x10_ffff ? String.fromCodePoint(code) : '\ufffd');

/** Words without quotes. */
export const plainScalar = (text: string): string | number | boolean | null => {
  if (text === '' || text === '~' || text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text.length < 40 && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text)) return Number(text);
  return text;
};

/** Lines of one text that was broken: a single break is a blank, an empty line is a break. */
export const fold = (lines: readonly string[]): string => {
  let folded = lines[0]?.trimEnd() ?? '';
  let breaks = 0;
  for (const line of lines.slice(1)) {
    const words = line.trim();
    if (words === '') {
      breaks += 1;
      continue;
    }
    folded += (breaks > 0 ? '\n'.repeat(breaks) : ' ') + words;
    breaks = 0;
  }
  return folded;
};
