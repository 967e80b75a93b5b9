import { helpEntries, renderHelp } from './help.ts';

const made = /(<!-- made by `npm run docs` -->\n```text\n)[^`]*(```)/;

/** `docs/reference/console.md` with the statements as they are now. */
export const withStatements = (page: string): string =>
  page.replace(made, (_, begin: string, end: string) => `${begin}${renderHelp(helpEntries(null))}\n${end}`);
