import { TriggerdError } from '../../domain/errors.ts';
import type { Event } from '../../events/event.ts';
import { query } from './options.ts';
import type { Session } from './session.ts';
import { throughRestarts } from './through-restarts.ts';

/**
 * Prints what happens after `cursor` until Ctrl-C, also through a restart of the daemon: it continues behind the last event
 * printed. Throws `events-dropped` when the daemon has given us up for too slow.
 */
export const followEvents = (
  session: Session,
  filter: Readonly<Record<string, string | number | readonly string[] | undefined>>,
  cursor: string,
  print: (event: Event) => Promise<void>,
): Promise<never> => {
  let after = cursor;
  return throughRestarts(
    session,
    async (heard) => {
      const events = await session.client.lines<Event>(`/v1/events/follow${query({ ...filter, after })}`);
      heard();
      for await (const event of events) {
        await print(event);
        after = event.id;
        if (event.kind === 'follow.dropped') throw new TriggerdError('events-dropped', String(event['reason']));
      }
      throw new TriggerdError('daemon-unreachable', 'the daemon closed its answer');
    },
    { heardBefore: true },
  );
};
