/** Manual pages in the language of man(7). Every text is foreign to roff until it went through `text`. */

export interface PageTitle {
  readonly name: string;
  readonly section: number;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly version: string;
}

const marks: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '’': '\\(cq',
  '“': '\\(lq',
  '”': '\\(rq',
  '–': '\\(en',
  '…': '...',
};

/** As it stands; what is between backticks in bold. */
export const text = (source: string): string =>
  source
    .split('`')
    .map((part, at) => (at % 2 === 1 && part !== '' ? `\\fB${literal(part)}\\fP` : literal(part)))
    .join('');

/** As it stands. */
export const literal = (source: string): string => {
  const escaped = source.replaceAll(/[\\'`^~’“”–…-]/g, (mark) => marks[mark] ?? mark);
  const ascii = escaped.replaceAll(/[^\x20-\x7e\n]/gu, (char) => `\\[u${hex(char)}]`);
  return ascii.replaceAll(/^\./gm, '\\&.');
};

const hex = (char: string): string => (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');

export const title = ({ name, section, date, version }: PageTitle): string =>
  `.\\" Made from the program itself: see scripts/man.ts.\n.TH ${name.toUpperCase()} ${section} ${date} "triggerd ${version}"`;

export const section = (heading: string): string => `.SH ${quoted(heading.toUpperCase())}`;
export const subsection = (heading: string): string => `.SS ${quoted(heading)}`;
export const paragraph = (source: string): string => `.PP\n${text(source)}`;

/** A term with its explanation; `term` is bold as a whole. */
export const item = (term: string, about: string): string => `.TP\n\\fB${literal(term)}\\fP\n${text(about)}`;

export const example = (lines: readonly string[]): string =>
  ['.PP', '.EX', ...lines.map((line) => `  ${literal(line)}`), '.EE'].join('\n');

/** Blocks, one below the other. A heading begins a paragraph by itself. */
export const page = (...blocks: readonly (string | readonly string[])[]): string =>
  `${blocks.flat().join('\n')}\n`.replaceAll(/^(\.S[HS] .*\n)\.PP\n/gm, '$1');

const quoted = (source: string): string => `"${literal(source).replaceAll('"', '\\(dq')}"`;
