import { expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import { type Event, maxBehind } from '../../../src/events/event.ts';
import { EventLog } from '../../../src/events/event-log.ts';
import type { EventStore } from '../../../src/events/ports.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

class MemoryEvents implements EventStore {
  kept: Event[] = [];
  refuses = false;
  async append(events: readonly Event[]): Promise<void> {
    if (this.refuses) throw new TriggerdError('state-unusable', 'no space left');
    this.kept = [...this.kept, ...events];
  }
  async read(): Promise<Event[]> {
    return this.kept;
  }
}

let now = 1_000;
const open = async (store = new MemoryEvents()) => {
  const log = recordingLog();
  const clock = { now: () => now };
  return { store, log, events: await EventLog.open({ node: 'lb01', store, clock, log }) };
};
const all = () => true;
const everything = { limit: 10_000, since: 0 };
const queueOf = (event: Event): unknown => event['queue'];
const say = (events: EventLog, ...queues: string[]) => {
  for (const queue of queues) events.tell({ kind: 'queue.paused', queue });
};
const follow = (events: EventLog, cursor: string, wanted: (event: Event) => boolean = all) => {
  const heard: Event[] = [];
  const stop = new AbortController();
  const done = (async () => {
    for await (const event of events.follow(cursor, wanted, stop.signal)) heard.push(event);
  })();
  return { heard, done, stop: () => stop.abort() };
};

it('the event log gives each event an ID larger than the previous one, also after a clock step back and a crash', async () => {
  const { events, store } = await open();
  now = 5_000;
  say(events, 'a', 'b');
  now = 1_000;
  say(events, 'c');
  await events.close();
  const next = (await open(store)).events;
  say(next, 'd');
  const { events: told, cursor } = await next.past(everything, all);
  expect(told.map(({ id }) => id)).toEqual(['5000000', '5000001', '5000002', '5000003']);
  expect(told.map(queueOf)).toEqual(['a', 'b', 'c', 'd']);
  expect(cursor).toBe('5000003');
});

it('the event log shows as many of the newest events as are wanted, and none older than wanted', async () => {
  const { events } = await open();
  now = 10_000;
  say(events, 'a', 'b');
  now = 20_000;
  say(events, 'c', 'b', 'd');
  const past = async (query: { limit: number; since: number }) =>
    (await events.past(query, (event) => event['queue'] !== 'd')).events.map(queueOf);
  expect(await past({ limit: 2, since: 0 })).toEqual(['c', 'b']);
  expect(await past({ limit: 9, since: 15_000 })).toEqual(['c', 'b']);
  expect(await past({ limit: 0, since: 0 })).toEqual([]);
});

it('the event log tells a follower everything after the cursor once: stored events, waiting ones, and new ones', async () => {
  const { events, store } = await open();
  say(events, 'a', 'b');
  const { cursor } = await events.past({ limit: 0, since: 0 }, all);
  say(events, 'c');
  await events.close();
  say(events, 'd');
  const { heard, done, stop } = follow(events, cursor);
  say(events, 'e');
  await until(() => heard.length === 3, 'the past');
  say(events, 'f');
  await until(() => heard.length === 4, 'the present');
  stop();
  await done;
  expect(heard.map(queueOf)).toEqual(['c', 'd', 'e', 'f']);
  await events.close();
  expect(store.kept.map(queueOf)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

it('the event log drops a follower that does not read, and says so in the last line; nothing before it is missing', async () => {
  const { events } = await open();
  const stop = new AbortController();
  const reading = events.follow('0', all, stop.signal);
  say(events, 'first');
  expect((await reading.next()).value).toMatchObject({ queue: 'first' });
  // Takes up the live ones from here on.
  const second = reading.next();
  say(events, 'second');
  await second;
  for (let index = 0; index <= maxBehind; index += 1) say(events, `q${index}`);
  say(events, 'long after');
  const rest: Event[] = [];
  for await (const event of reading) rest.push(event);
  expect(rest).toHaveLength(maxBehind + 1);
  expect(rest.at(-2)).toMatchObject({ queue: `q${maxBehind - 1}` });
  expect(rest.at(-1)).toMatchObject({ kind: 'follow.dropped', reason: expect.stringContaining('10,000') });
  const resumed = follow(events, rest.at(-1)?.id ?? '');
  await until(() => resumed.heard.length === 2, 'what he has missed');
  expect(resumed.heard.map(queueOf)).toEqual([`q${maxBehind}`, 'long after']);
  resumed.stop();
  await resumed.done;
});

it('the event log continues while the disk refuses, says so once, and writes what it has when the disk works', async () => {
  const { events, store, log } = await open();
  store.refuses = true;
  say(events, 'a');
  expect((await events.past(everything, all)).events.map(queueOf)).toEqual(['a']);
  say(events, 'b');
  expect((await events.past(everything, all)).events.map(queueOf)).toEqual(['a', 'b']);
  expect(log.at('warn')).toHaveLength(1);
  store.refuses = false;
  await events.close();
  expect(store.kept.map(queueOf)).toEqual(['a', 'b']);
});

it('the event log follows from now on after a cursor of another log', async () => {
  const { events } = await open();
  const { heard, done, stop } = follow(events, '999999999999999999');
  say(events, 'a');
  await events.past({ limit: 0, since: 0 }, all);
  say(events, 'b');
  await until(() => heard.at(-1)?.['queue'] === 'b', 'the present');
  stop();
  await done;
});

it('the event log starts without a past that cannot be read', async () => {
  const store = new MemoryEvents();
  store.read = async () => {
    throw new TriggerdError('state-unusable', 'events.jsonl: EACCES');
  };
  const { log } = await open(store);
  expect(log.at('warn').map(({ message }) => message)).toEqual(['Cannot read past events']);
});
