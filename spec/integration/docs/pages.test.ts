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

it.each(prose.filter((page) => !made.test(page)))('%s is wrapped at 100 columns: `npm run docs` does it', (page) => {
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
