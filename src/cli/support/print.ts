import { jsonText } from '../../kit/json-text.ts';
import { withWidths } from '../../kit/width.ts';
import type { Session } from './session.ts';

/** A document on stdout: as JSON when asked for, else as rendered; an empty text prints nothing. */
export const print = async (session: Session, document: unknown, rendered: () => string): Promise<void> => {
  const text = session.json ? jsonText(document, 2) : (await withWidths(rendered)).trimEnd();
  if (text !== '') await session.terminal.out(`${text}\n`);
};
