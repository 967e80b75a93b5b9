import { expect, it } from 'vitest';
import { type Event, eventOf } from '../../../src/events/event.ts';
import { type EventFilter, matches } from '../../../src/events/event-filter.ts';
import { JobEvents } from '../../../src/events/job-events.ts';
import { queuedJob, someRequest } from '../../support/watch-room.ts';

const none: EventFilter = { nodes: [], triggers: [], stages: [], kinds: [] };
const at = { at: 0, node: 'lb01' };
const named = (id: string) => (id === 'F1' ? 'refresh' : 'rollout');
const job = eventOf('1', { ...at, ...new JobEvents([], named).of(queuedJob(1, someRequest, ['F1', 'F2']), 0) });
const firing = eventOf('2', {
  ...at,
  kind: 'firing.refused',
  stage: 'skipped',
  firing: 'F1',
  trigger: 'refresh',
  origin: 'web01',
  reason: 'expired',
});
const paused = eventOf('3', { ...at, node: 'lb02', kind: 'queue.paused', queue: 'default' });
const dropped = eventOf('4', { ...at, kind: 'follow.dropped', reason: 'too slow' });

it.each<[string, Partial<EventFilter>, Event[]]>([
  ['nothing', {}, [job, firing, paused, dropped]],
  ['a node', { nodes: ['lb02', 'lb03'] }, [paused, dropped]],
  ['a trigger of one of a job’s firings', { triggers: ['rollout'] }, [job, dropped]],
  ['a trigger', { triggers: ['refresh'] }, [job, firing, dropped]],
  ['a stage', { stages: ['skipped', 'owed'] }, [firing, dropped]],
  ['a kind', { kinds: ['queue.paused'] }, [paused, dropped]],
  ['a family of kinds', { kinds: ['job', 'firing'] }, [job, firing, dropped]],
  ['no part of a family’s name', { kinds: ['jo'] }, [dropped]],
  ['all of several', { kinds: ['job'], nodes: ['lb02'] }, [dropped]],
])('events are filtered by %s; events about the following itself always pass', (_, filter, expected) => {
  expect([job, firing, paused, dropped].filter((event) => matches({ ...none, ...filter }, event))).toEqual(expected);
});
