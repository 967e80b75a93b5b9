import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../support/node.ts';
import { pages, readPage } from '../../support/pages.ts';

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '``');

/** GitHub's names for the headings of a page, and those that the page gives itself. */
const anchorsOf = (path: string): string[] => [
  ...[...readPage(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-'),
  ),
  ...[...readPage(path).matchAll(/<a name="([^"]+)">/g)].map(([, name = '']) => name),
];

/** Committed files, and new ones, that hold this text. */
const filesNaming = (text: string): string[] =>
  execFileSync('git', ['grep', '--untracked', '-IlF', text], { cwd: root, encoding: 'utf8' }).trim().split('\n');

const docsNamedIn = (file: string): string[] =>
  [...readPage(file).matchAll(/(?<![\w/.-])docs\/[\w./-]*\.md/g)].map(([page]) => page);

const linksOf = (path: string): string[] =>
  [...withoutCode(readPage(path)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^(https?|mailto):/.test(target));

const isThere = (from: string, target: string): boolean => {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : join(dirname(from), path);
  if (!existsSync(join(root, file))) return false;
  return anchor === undefined || anchorsOf(file).includes(anchor);
};

it.each(pages)('the links of %s lead somewhere', (page) => {
  expect(linksOf(page).filter((target) => !isThere(page, target))).toEqual([]);
});

it('each page of docs/ that a file of the project names exists: in errors, help, comments, units and manifests', () => {
  const named = filesNaming('docs/').flatMap((file) => docsNamedIn(file).map((page) => `${file}: ${page}`));
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((line) => !existsSync(join(root, line.split(': ')[1] ?? '')))).toEqual([]);
});

it.each(pages.filter((page) => !page.startsWith('docs/adr/')))('the sources that %s names exist', (page) => {
  const named = [...readPage(page).matchAll(/(?<![\w/.-])(?:src|scripts|spec)\/[\w./-]*\w\/?/g)].map(([path]) => path);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

it('docs/README.md leads to every page, and the README to it', () => {
  const listed = linksOf('docs/README.md').map((target) => join('docs', target));
  const isListed = (page: string) => listed.includes(page) || listed.includes(`${dirname(page)}/`);
  const own = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  expect(own.filter((page) => !isListed(page))).toEqual([]);
  expect(linksOf('README.md')).toContain('docs/README.md');
});
