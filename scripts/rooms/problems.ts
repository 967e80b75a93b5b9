import { type Import, roomOf } from './imports.ts';
import type { Room } from './rooms.ts';

/** What is wrong with the arrows, a sentence each; nothing when all is as declared. */
export const problemsOf = (rooms: Readonly<Record<string, Room>>, imports: readonly Import[]): string[] => {
  const between = imports.filter(({ from, to }) => roomOf(from) !== roomOf(to));
  return [...undeclared(rooms, between), ...unused(rooms, between), ...circlesOf(rooms), ...circles(imports)];
};

const undeclared = (rooms: Readonly<Record<string, Room>>, between: readonly Import[]): string[] =>
  between
    .filter(({ from, to }) => rooms[roomOf(from)]?.imports.includes(roomOf(to)) !== true)
    .map(({ from, to }) => `src/${from} imports src/${to}: ${roomOf(from)} may not import ${roomOf(to)}`);

const unused = (rooms: Readonly<Record<string, Room>>, between: readonly Import[]): string[] => {
  const used = new Set(between.map(({ from, to }) => `${roomOf(from)} ${roomOf(to)}`));
  return Object.entries(rooms).flatMap(([room, { imports }]) =>
    imports
      .filter((other) => !used.has(`${room} ${other}`))
      .map((other) => `${room} may import ${other} and does not: take the arrow away`),
  );
};

/** The rooms are declared from the ground up, so an arrow to a later one is the beginning of a circle. */
const circlesOf = (rooms: Readonly<Record<string, Room>>): string[] => {
  const order = Object.keys(rooms);
  return Object.entries(rooms).flatMap(([room, { imports }]) =>
    imports
      .filter((other) => order.indexOf(other) >= order.indexOf(room))
      .map((other) => `${room} imports ${other}, which stands above it or nowhere`),
  );
};

/** Circles of files, types included: each once, from where it was entered. */
const circles = (imports: readonly Import[]): string[] => {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push(`a circle of files: ${[...path.slice(at), file].join(' → ')}`);
    if (at >= 0 || done.has(file)) return;
    for (const other of next.get(file) ?? []) walk(other, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return found;
};
