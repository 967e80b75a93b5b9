import { expect, it } from 'vitest';
import { type EventCanvas, renderEvent } from '../../../src/cli/render/event.ts';
import { eventOf, type NewEvent } from '../../../src/events/event.ts';
import { JobEvents } from '../../../src/events/job-events.ts';
import { widthOf } from '../../../src/kit/width.ts';
import { jobRequest } from '../../support/jobs.ts';

const noon = new Date(2026, 10, 20, 12, 0, 0).getTime();
const canvas = { columns: 80, now: noon + 60_000, fleet: false, paint: (_: unknown, text: string) => text };
const id = '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD';
const firing = { at: noon, node: 'web01.example.com', firing: id, trigger: 'refresh load balancers' };
const render = (happening: NewEvent, more: Partial<EventCanvas> = {}): string =>
  renderEvent(eventOf('1', happening), { ...canvas, ...more });

const ended = {
  id: 7,
  request: jobRequest({ label: 'n1' }),
  command: 'puppet agent --test',
  firings: [],
  attempt: 1,
  folder: '/jobs/7',
  enqueuedAt: 0,
  state: 'finished',
  startedAt: noon,
  finishedAt: noon,
  result: { kind: 'succeeded', exitCode: 2 },
  times: { realS: 18.2, userS: 0, systemS: 0 },
  details: {},
} as const;
const jobEnd: NewEvent = { node: 'lb01', ...new JobEvents([], () => undefined).of(ended, 0) };

it.each<[string, NewEvent, Partial<EventCanvas>]>([
  ['12:00:00 job.finished     7 succeeded, exit 2, 18.2 s: [n1]puppet agent --test', jobEnd, {}],
  [
    '12:00:00 firing.published refresh load balancers → 2 nodes',
    { ...firing, kind: 'firing.published', stage: 'owed', targets: 2 },
    {},
  ],
  [
    `12:00:00 firing.published refresh load balancers → 2 nodes  ${id}`,
    { ...firing, kind: 'firing.published', stage: 'owed', targets: 2 },
    { columns: 100 },
  ],
  [
    '12:00:00 web01.example.c… firing.refused   refresh load balancers (plugin comma…',
    { ...firing, kind: 'firing.refused', stage: 'skipped', origin: 'web01', reason: 'plugin command is not allowed' },
    { fleet: true },
  ],
  [
    '2026-11-20 12:00:00 etcd.lost        refused',
    { at: noon, node: 'x', kind: 'etcd.lost', reason: 'refused' },
    { now: noon + 86_400_000 },
  ],
  ['12:00:00 etcd.lost        a\\nb\\e[2J', { at: noon, node: 'x', kind: 'etcd.lost', reason: 'a\nb\u001b[2J' }, {}],
  [
    '12:00:00 config.reloaded  [watch] [log]',
    { at: noon, node: 'x', kind: 'config.reloaded', sections: ['watch', 'log'] },
    {},
  ],
])('an event is printed as: %s', (line, happening, more) => {
  const rendered = render(happening, more);
  expect(rendered).toBe(line);
  expect(widthOf(rendered)).toBeLessThanOrEqual(more.columns ?? 80);
});

it('an event’s kind has a colour, and no column that has to line up', () => {
  const paint: EventCanvas['paint'] = (color, text) => (color === null ? text : `<${color}>${text}</>`);
  expect(render(jobEnd, { paint })).toContain('12:00:00 <green>job.finished    </> 7 succeeded');
});
