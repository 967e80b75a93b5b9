/** `trigger events`: one line each. */

import type { Event } from '../../events/event.ts';
import { visible } from '../../kit/text.ts';
import { cutEnd, padEnd, widthOf } from '../../kit/width.ts';
import type { Color } from './color.ts';
import { localTime, took } from './time.ts';

export interface EventCanvas {
  readonly columns: number | null;
  readonly now: number;
  /** Says which node each is about. */
  readonly fleet: boolean;
  readonly paint: (color: Color | null, text: string) => string;
}

const kindWidth = 'firing.published'.length;
const nodeWidth = 16;

/** `16:03:12 job.finished     7 succeeded, exit 2, 18.2 s: puppet agent --test`; before today with the day. */
export const renderEvent = (event: Event, { columns, now, fleet, paint }: EventCanvas): string => {
  const node = fleet ? `${padEnd(cutEnd(visible(event.node), nodeWidth), nodeWidth)} ` : '';
  const head = `${timeOf(event.at, now)} ${node}`;
  const kind = padEnd(visible(event.kind), kindWidth);
  const left = columns === null ? null : Math.max(kindWidth, columns - widthOf(head));
  const line = withId(`${kind} ${visible(wordsOf(event))}`.trimEnd(), event['firing'], left);
  return head + paint(colorOf(event), line.slice(0, kind.length)) + line.slice(kind.length);
};

const timeOf = (at: string, now: number): string => {
  const [time, today] = [localTime(at), localTime(new Date(now).toISOString())];
  const dayLength = 'yyyy-mm-dd '.length;
  return time.slice(0, dayLength) === today.slice(0, dayLength) ? time.slice(dayLength) : time;
};

/** A firing's id is for copying: whole, where there is room, or not at all. */
const withId = (line: string, firing: unknown, left: number | null): string => {
  const whole = isText(firing) ? `${line}  ${visible(firing)}` : line;
  if (left === null || widthOf(whole) <= left) return whole;
  return cutEnd(line, left);
};

/** What there is to say besides when, where and which kind. */
const wordsOf = (event: Event): string => {
  const family = event.kind.slice(0, event.kind.indexOf('.'));
  if (family === 'job') return jobWords(event);
  if (family === 'firing') return [event['trigger'], ...firingNotes(event)].filter(isText).join(' ');
  if (family === 'outcome') return [event['trigger'], endWords(event)].filter(isText).join(': ');
  if (family === 'request') return [event['service'], `of ${event['user']}`, endWords(event)].filter(isText).join(' ');
  if (family === 'worker')
    return [`${event['team']}/${event['worker']} on ${event['host']}`, event['reason']].filter(isText).join(': ');
  if (event.kind === 'node.refused')
    return `to ${processWords(event['refused'])}: ${processWords(event['holder'])} has the name`;
  if (event.kind === 'node.taken-over')
    return `by ${processWords(event['holder'])} from ${processWords(event['from'])}`;
  return [event['queue'], event['reason'], event['version'], listed(event['sections'])].filter(isText).join(' ');
};

/** `web-clone (10.0.0.7), pid 812`. */
const processWords = (value: unknown): string => {
  const { host, address, pid } = (value ?? {}) as Record<string, unknown>;
  if (!isText(host)) return 'a daemon of an earlier version';
  return `${host}${isText(address) ? ` (${address})` : ''}${typeof pid === 'number' ? `, pid ${pid}` : ''}`;
};

const jobWords = (event: Event): string => {
  const label = isText(event['label']) ? `[${event['label']}]` : '';
  const how = endWords(event);
  return `${event['job']}${how === '' ? '' : ` ${how}`}: ${label}${event['command']}`;
};

const firingNotes = ({ kind, job, coalesced, reason, targets }: Event): string[] => {
  if (kind === 'firing.accepted') return [`→ job ${job}${coalesced === true ? ' (joined)' : ''}`];
  if (kind === 'firing.refused') return [`(${reason})`];
  return kind === 'firing.published' ? [`→ ${targets} node${targets === 1 ? '' : 's'}`] : [];
};

/** `succeeded, exit 2, 18.2 s`, or why it does not run; the kind says the stage. */
const endWords = ({ result, exit_code: code, duration_ms: duration, reason }: Event): string =>
  [result, typeof code === 'number' ? `exit ${code}` : '', typeof duration === 'number' ? took(duration) : '', reason]
    .filter(isText)
    .join(', ');

const listed = (value: unknown): string => (Array.isArray(value) ? value.map((each) => `[${each}]`).join(' ') : '');
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const colorOf = ({ kind, result, stage }: Event): Color | null => {
  if (result === 'succeeded') return 'green';
  if (
    isText(result) ||
    kind === 'etcd.lost' ||
    kind === 'node.away' ||
    kind === 'node.refused' ||
    kind === 'worker.offline' ||
    kind === 'follow.dropped'
  )
    return 'red';
  if (stage === 'deferred' || stage === 'skipped' || kind === 'follow.gap') return 'yellow';
  return null;
};
