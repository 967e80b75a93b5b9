/** A command as a person would type it; for showing, never for running. */
export const commandText = (argv: readonly string[]): string => argv.map(quoteWord).join(' ');

const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
