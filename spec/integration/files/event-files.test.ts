import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createEventFiles } from '../../../src/adapters/files/event-files.ts';
import { eventOf } from '../../../src/events/event.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'events-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const event = (id: number) =>
  eventOf(String(id), { at: id, node: 'lb01', kind: 'queue.paused', queue: 'ü'.repeat(20) });
const ids = async (store: ReturnType<typeof createEventFiles>) => (await store.read()).map(({ id }) => Number(id));

it('the event files keep events in order, for the daemon’s user only, and return them unchanged', async () => {
  const store = createEventFiles(folder);
  expect(await store.read()).toEqual([]);
  await store.append([event(1), event(2)]);
  await store.append([event(3)]);
  expect(await createEventFiles(folder).read()).toEqual([event(1), event(2), event(3)]);
  expect(statSync(join(folder, 'events.jsonl')).mode & 0o777).toBe(0o600);
});

it('the event files delete the oldest events when two files are full', async () => {
  const store = createEventFiles(folder, 1_000);
  for (let id = 1; id <= 100; id += 1) await store.append([event(id)]);
  const kept = await ids(store);
  expect(kept.at(-1)).toBe(100);
  expect(kept.length).toBeGreaterThanOrEqual(8);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 101 - kept.length + index));
  const sizes = ['events.jsonl', 'events.1.jsonl'].map((name) => readFileSync(join(folder, name)).length);
  expect(Math.max(...sizes)).toBeLessThan(1_300);
});

it('the event files skip a half line that a crash has left, and continue behind it', async () => {
  const store = createEventFiles(folder);
  await store.append([event(1)]);
  appendFileSync(join(folder, 'events.jsonl'), `\n${JSON.stringify(event(2)).slice(0, 30)}`);
  await store.append([event(3)]);
  expect(await ids(store)).toEqual([1, 3]);
});

it('the event files name the file that the disk refuses', async () => {
  mkdirSync(join(folder, 'events.jsonl'));
  const store = createEventFiles(folder);
  await expect(store.append([event(1)])).rejects.toMatchObject({ code: 'state-unusable' });
  await expect(store.read()).rejects.toThrow(/events\.jsonl/);
});
