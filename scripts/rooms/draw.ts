import type { Room } from './rooms.ts';

const begin = '<!-- rooms: made by `npm run docs` from scripts/rooms/rooms.ts -->';
const end = '<!-- /rooms -->';

/** The page with its picture and table of the rooms made anew. Throws where the page has no place for them. */
export const withRooms = (page: string, rooms: Readonly<Record<string, Room>>): string => {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the page has no ${begin} … ${end}`);
  return `${before}${begin}\n\n${picture(rooms)}\n\n${table(rooms)}\n\n${end}${after}`;
};

/** From the top down: what somebody else above it imports anyway is left out, or nobody would see anything. */
const picture = (rooms: Readonly<Record<string, Room>>): string => {
  const arrows = Object.entries(rooms)
    .reverse()
    .flatMap(([room, { imports }]) =>
      imports
        .filter((other) => !imports.some((middle) => middle !== other && reaches(rooms, middle, other)))
        .map((other) => `  ${room} --> ${other}`),
    );
  return ['```mermaid', 'flowchart TD', ...arrows, '```'].join('\n');
};

const reaches = (rooms: Readonly<Record<string, Room>>, from: string, to: string): boolean =>
  rooms[from]?.imports.some((next) => next === to || reaches(rooms, next, to)) ?? false;

const table = (rooms: Readonly<Record<string, Room>>): string =>
  [
    '| room | what it is | imports |',
    '|---|---|---|',
    ...Object.entries(rooms)
      .reverse()
      .map(([room, { is, imports }]) => `| \`${room}/\` | ${is} | ${imports.join(', ') || 'nothing'} |`),
  ].join('\n');
