import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { controlRoutes } from '../../../src/api/control-routes.ts';
import type { ApiServices } from '../../../src/api/services/services.ts';
import { commands } from '../../../src/cli/commands.ts';
import { eventKinds } from '../../../src/events/event.ts';
import { keysBelow } from '../../../src/store/keys.ts';
import { readPage } from '../../support/pages.ts';

/** The commands, and the verbs of those that have some. */
const named = (
  await Promise.all(
    Object.entries(commands).map(async ([noun, { load }]) => {
      const verbs = Object.keys((await load()).verbs ?? {});
      return verbs.length === 0 ? [noun] : verbs.map((verb) => `${noun} ${verb}`);
    }),
  )
).flat();

/** What somebody adds to the code is missing on its page until somebody writes it there. */
describe('a page of the reference has', () => {
  it.each(named)('the reference has the command trigger %s', (command) => {
    const [noun = '', verb] = command.split(' ');
    const rows = readPage('docs/reference/cli.md').split('\n');
    const words = `trigger (?:\\w+\\\\\\|)?${noun}\\b.*${verb === undefined ? '' : `\\b${verb}\\b`}`;
    expect(rows.filter((row) => new RegExp(words).test(row))).not.toEqual([]);
  });

  it.each(eventKinds.map((kind) => [kind]))('the reference has the event %s', (kind) => {
    expect(readPage('docs/reference/events.md')).toContain(kind);
  });

  const keys = keysBelow('/trigger');
  const places = [
    ...new Set(
      Object.values(keys)
        .filter((key): key is string => typeof key === 'string')
        .map((key) => key.split('/')[3] ?? '')
        .filter((name) => name !== ''),
    ),
  ];
  it.each(places)('the reference has the keys below %s', (place) => {
    expect(readPage('docs/reference/keyspace.md')).toMatch(new RegExp(`\\b${place}/`));
  });
});

describe('the README of a shipped plugin has', () => {
  const folder = join(import.meta.dirname, '../../../plugins');
  const plugins = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('plugin.toml'),
  );
  const args = plugins.flatMap((file) => {
    const { args = {} } = parse(readFileSync(join(folder, file), 'utf8')) as { args?: object };
    return Object.keys(args).map((arg) => [file.replace('/plugin.toml', ''), arg] as const);
  });
  it.each(args)('the README of %s has its argument %s', (plugin, arg) => {
    expect(readFileSync(join(folder, plugin, 'README.md'), 'utf8')).toContain(arg);
  });
});

it('the table above the control API has every route', () => {
  const source = readFileSync(join(import.meta.dirname, '../../../src/api/control-routes.ts'), 'utf8');
  const rows = [...source.matchAll(/^ \* {5}(GET|POST|PUT) +(\S+)/gm)].flatMap(([, method, paths = '']) =>
    alternatives(paths.split('?')[0] ?? '').map((path) => `${method} ${path}`),
  );
  const routes = controlRoutes({} as ApiServices).map(({ method, path }) => `${method} ${path}`);
  expect(routes.filter((route) => !rows.includes(route))).toEqual([]);
  expect(rows.filter((row) => !routes.includes(row))).toEqual([]);
});

/** `/v1/jobs/:id/kill|remove` → both paths. */
const alternatives = (path: string): string[] => {
  const at = path.lastIndexOf('/') + 1;
  return path
    .slice(at)
    .split('|')
    .map((last) => path.slice(0, at) + last);
};
