/** Text that fits a terminal: how many columns it takes, and how it is cut and wrapped. */

/** One column each. Most texts are nothing else, and need no table of widths. */
const narrow = /^[\x20-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u259f]*$/;

let measure: ((text: string) => number) | undefined;
let isMissing = false;

/**
 * What `render` makes of texts of any script, emoji included. The table of widths costs half as much processor time as the
 * start of Node, so it is loaded only where a text needs it; then `render` is called a second time.
 */
export const withWidths = async (render: () => string): Promise<string> => {
  isMissing = false;
  const rendered = render();
  if (!isMissing) return rendered;
  const { default: stringWidth } = await import('string-width');
  measure = stringWidth;
  return render();
};

/** Columns that a text takes on a terminal. Right for every text inside `withWidths`, elsewhere for the usual ones. */
export const widthOf = (text: string): number => {
  if (narrow.test(text)) return text.length;
  isMissing = measure === undefined;
  return measure?.(text) ?? text.length;
};

export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** The text in at most `width` columns; what was cut shows as `…`. */
export const cutEnd = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  return width < 1 ? '' : `${fitting(graphemesOf(text), width - 1).join('')}…`;
};

/** The same from the other side: for paths, whose end says most. */
export const cutStart = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  return width < 1
    ? ''
    : `…${fitting(graphemesOf(text).reverse(), width - 1)
        .reverse()
        .join('')}`;
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
  const found: string[] = [];
  for (let left = graphemesOf(word); left.length > 0; ) {
    const piece = left.slice(0, Math.max(1, fitting(left, width).length));
    found.push(piece.join(''));
    left = left.slice(piece.length);
  }
  return found;
};

/** As many of the first as fit. */
const fitting = (graphemes: readonly string[], width: number): string[] => {
  let used = 0;
  const end = graphemes.findIndex((each) => {
    used += widthOf(each);
    return used > width;
  });
  return graphemes.slice(0, end < 0 ? graphemes.length : end);
};

/** What a reader takes for one character each: `é` also of two code points, a family of four people. */
const graphemesOf = (text: string): string[] =>
  narrow.test(text) ? [...text] : [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
