/** Writes the reference pages that are made from code, and wraps the pages that are not: `npm run docs`. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { renderErrorReference } from '../src/config/error-reference.ts';
import { renderConfigReference } from '../src/config/reference.ts';
import { withStatements } from '../src/console/reference.ts';
import { wrapped } from './docs/wrap.ts';
import { withRooms } from './rooms/draw.ts';
import { rooms } from './rooms/rooms.ts';

const docs = new URL('../docs/reference/', import.meta.url);
writeFileSync(new URL('configuration.md', docs), renderConfigReference());
writeFileSync(new URL('errors.md', docs), renderErrorReference());
const console = new URL('console.md', docs);
writeFileSync(console, withStatements(readFileSync(console, 'utf8')));
const architecture = new URL('../docs/explanation/architecture.md', import.meta.url);
writeFileSync(architecture, withRooms(readFileSync(architecture, 'utf8'), rooms));

const root = new URL('../', import.meta.url);
// Those above are as the code says; a test compares them.
const made = [':!docs/reference/configuration.md', ':!docs/reference/errors.md'];
const pages = execFileSync('git', ['ls-files', 'docs/*.md', '*.md', ':!puppet-module', ':!spec', ...made], {
  cwd: root,
  encoding: 'utf8',
});
for (const page of new Set(pages.trim().split('\n'))) {
  const file = new URL(page, root);
  const text = readFileSync(file, 'utf8');
  if (wrapped(text) !== text) writeFileSync(file, wrapped(text));
}
