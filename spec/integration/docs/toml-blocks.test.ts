import { expect, it } from 'vitest';
import { blocksOf, pages } from '../../support/pages.ts';
import { parse } from '../../unit/config/parse.ts';

/** These show a plugin.toml, which is something else. */
const blocks = pages
  .filter((page) => !page.endsWith('/plugins.md'))
  .flatMap((page) => blocksOf(page, 'toml').map((text) => [page, text] as const));

it('the pages have blocks of TOML', () => expect(blocks.length).toBeGreaterThan(2));

it.each(blocks)('%s shows a configuration that loads: %s', (_, text) => {
  expect(() => parse(text)).not.toThrow();
});
