import { jsonText } from '../../kit/json-text.ts';
import { withWidths } from '../../kit/width.ts';
import type { Define } from '../command.ts';
import { painter } from '../render/color.ts';
import type { Canvas } from '../render/firing.ts';
import type { Session } from './session.ts';

/** A document on stdout: as JSON when asked for, else as rendered; an empty text, as of what is only done, prints nothing. */
export const print = async (
  session: Pick<Session, 'json' | 'terminal'>,
  document: unknown,
  rendered: (canvas: Canvas) => string = () => '',
): Promise<void> => {
  const { columns, color, out } = session.terminal;
  const canvas = { columns, now: Date.now(), paint: painter(color) };
  const text = session.json ? jsonText(document, 2) : (await withWidths(() => rendered(canvas))).trimEnd();
  if (text !== '') await out(`${text}\n`);
};

/** A command that prints one answer of the daemon. */
export const printing =
  <View>(path: string, rendered: (view: View, canvas: Canvas) => string): Define =>
  (command, run) =>
    command.action(
      run(async (session) => {
        const view = await session.client.request<View>(path);
        await print(session, view, (canvas) => rendered(view, canvas));
      }),
    );

/** What was done: a line on stderr, or the document on stdout with `--json`. */
export const printDone = async (session: Session, document: unknown, said: string): Promise<void> => {
  if (session.json) await print(session, document);
  else session.terminal.err(`${said}\n`);
};
