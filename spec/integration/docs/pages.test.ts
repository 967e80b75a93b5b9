import { expect, it } from 'vitest';
import { wrapped } from '../../../scripts/docs/wrap.ts';
import { pages, readPage } from '../../support/pages.ts';

const prose = pages.filter((page) => /^(docs\/|README|CHANGELOG|CONTRIBUTING)/.test(page));

/** Reference may be long, and so may the changelog. */
const mayBeLong = /^(docs\/(reference|adr)\/|CHANGELOG)/;

it.each(prose.filter((page) => !mayBeLong.test(page)))('%s has at most 200 lines', (page) => {
  expect(readPage(page).split('\n').length - 1).toBeLessThanOrEqual(200);
});

/** Their lines are the code's, and another test compares them with it. */
const made = /^docs\/reference\/(configuration|errors)\.md$/;

it.each(prose.filter((page) => !made.test(page)))('%s is wrapped at 100 columns (`npm run docs` does it)', (page) => {
  expect(wrapped(readPage(page))).toBe(readPage(page));
});

it('the README has at most 600 words', () => {
  expect(readPage('README.md').split(/\s+/).length).toBeLessThanOrEqual(601);
});

it('the glossary explains each word once', () => {
  const words = [...readPage('docs/reference/glossary.md').matchAll(/^\*\*([^*]+)\*\*/gm)].flatMap(([, text = '']) =>
    text.toLowerCase().split(', '),
  );
  expect(words.length).toBeGreaterThan(60);
  expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
});

/** What the style guide says in another way. Code, titles of tests and the table of exit codes are quoted from elsewhere. */
const replaced =
  /\b(can not|goes on|go on|sees? to|be had|is over|are over|knock|adrift|anew|(?:ca|do|wo|does|is|are)n['’]t)\b/g;

const proseOf = (page: string): string =>
  readPage(page)
    .replace(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replace(/`[^`\n]*`|“[^”]*”/g, '')
    .replace(/^\| \d+ .*$/gm, '');

const written = pages.filter(
  (page) => /^(docs\/(?!adr)|plugins\/|README|CHANGELOG|CONTRIBUTING)/.test(page) && !made.test(page),
);

it.each(written)('%s uses the words of the style guide', (page) => {
  expect([...proseOf(page).matchAll(replaced)].map(([word]) => word)).toEqual([]);
});
