/**
 * Foreign text for a terminal: colours stay, everything else that drives a terminal goes. What stays is text, newlines,
 * tabs and SGR (`ESC [ … m`); what goes is every other escape sequence with its content (titles, clipboard, links,
 * queries), other controls of C0 and C1 and the controls that turn the direction of text. Bytes that are no UTF-8 become
 * U+FFFD.
 *
 * Colours end with their line: text of one source neither paints nor hides that of the next.
 */
export interface TerminalFilter {
  /** What may be shown of this piece. A sequence may begin in one piece and end in another. */
  take(piece: string | Uint8Array): string;
  /** The rest: the end of colours that are still on. */
  end(): string;
}

const esc = '\u001b';
const reset = `${esc}[0m`;
/** Left-to-right and right-to-left marks, embeddings, overrides and isolates. */
const direction = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const cancels = '\u0018\u001a';
/** Begin a text that the terminal takes for itself: DCS, SOS, OSC, PM, APC, after ESC and as C1. */
const afterEscape = 'PX]^_';
const asC1 = '\u0090\u0098\u009d\u009e\u009f';
const stringTerminator = '\u009c';
/** No colour has more. */
const longestSgr = 64;
/** Nothing that is dropped or begins a sequence is in here: most text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this pattern keeps out
const plain = /^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*$/;

type State =
  | { readonly in: 'text' }
  /** Behind ESC; `isLong`: an intermediate was there. */
  | { readonly in: 'escape'; readonly isLong: boolean }
  /** Behind ESC [; `sgr` is what it had so far, null once it can be no colour. */
  | { readonly in: 'csi'; readonly sgr: string | null }
  | { readonly in: 'string' };

const text: State = { in: 'text' };

export const createTerminalFilter = (): TerminalFilter => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let state: State = text;
  let isPainted = false;

  /** What a character outside of sequences is shown as; it may begin one. */
  const show = (char: string): string => {
    state = text;
    if (char === '\n') {
      const end = isPainted ? `${reset}\n` : char;
      isPainted = false;
      return end;
    }
    if (char === esc) state = { in: 'escape', isLong: false };
    else if (char === '\u009b') state = { in: 'csi', sgr: '' };
    else if (asC1.includes(char)) state = { in: 'string' };
    else if (char === '\t' || !(isControl(char) || direction.test(char))) return char;
    return '';
  };

  const next = (char: string): string => {
    // These end every sequence, and ESC begins another one.
    if (state.in === 'text' || char === '\n' || char === esc) return show(char);
    if (cancels.includes(char)) {
      state = text;
      return '';
    }
    if (state.in === 'string') {
      if (char === '\u0007' || char === stringTerminator) state = text;
      return '';
    }
    // A terminal carries out other C0 controls in the middle of a sequence.
    if (char < ' ' || char === '\u007f') return '';
    if (char > '\u007f') return show(char);
    return state.in === 'escape' ? behindEscape(char, state.isLong) : behindCsi(char, state.sgr);
  };

  const behindEscape = (char: string, isLong: boolean): string => {
    if (char < '0') state = { in: 'escape', isLong: true };
    else if (isLong) state = text;
    else if (char === '[') state = { in: 'csi', sgr: '' };
    else state = afterEscape.includes(char) ? { in: 'string' } : text;
    return '';
  };

  const behindCsi = (char: string, sgr: string | null): string => {
    if (char < '@') {
      const isColour = sgr !== null && sgr.length < longestSgr && /[\d;:]/.test(char);
      state = { in: 'csi', sgr: isColour ? sgr + char : null };
      return '';
    }
    state = text;
    if (char !== 'm' || sgr === null) return '';
    isPainted = /[1-9]/.test(sgr);
    return `${esc}[${sgr}m`;
  };

  const filtered = (piece: string): string => {
    if (state.in === 'text' && !isPainted && plain.test(piece)) return piece;
    let shown = '';
    for (const char of piece) shown += next(char);
    return shown;
  };

  return {
    take: (piece) => filtered(typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })),
    end: () => {
      const rest = filtered(decoder.decode());
      const end = isPainted ? reset : '';
      isPainted = false;
      state = text;
      return rest + end;
    },
  };
};

const isControl = (char: string): boolean => char < ' ' || (char >= '\u007f' && char <= '\u009f');

/** A whole text for a terminal. */
export const terminalText = (whole: string | Uint8Array): string => {
  const filter = createTerminalFilter();
  return filter.take(whole) + filter.end();
};
