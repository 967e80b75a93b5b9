import type { Event } from '../../events/event.ts';
import { jsonText } from '../../kit/json-text.ts';
import { withWidths } from '../../kit/width.ts';
import { painter } from '../render/color.ts';
import { renderEvent } from '../render/event.ts';
import type { Session } from './session.ts';

/** Prints events one by one: a line for people where somebody looks, else a JSON line. */
export const eventPrinter = (
  { terminal, json }: Pick<Session, 'terminal' | 'json'>,
  fleet: boolean,
): ((event: Event) => Promise<void>) => {
  const isSeen = terminal.outIsTerminal || terminal.columns !== null;
  if (json || !isSeen) return (event) => terminal.out(`${jsonText(event)}\n`);
  const paint = painter(terminal.color);
  return async (event) => {
    const canvas = { columns: terminal.columns, now: Date.now(), fleet, paint };
    await terminal.out(`${await withWidths(() => renderEvent(event, canvas))}\n`);
  };
};
