/** `docs/reference/errors.md`, made from the error catalogue by `scripts/docs.ts`. */
import { type CatalogueEntry, errorCatalogue } from '../domain/errors.ts';
import { markdownTable } from './markdown.ts';

const introduction = `# Errors

<!-- Made by \`npm run docs\` from src/domain/errors.ts: change it there. -->

Every failure that a user can meet has a code. Scripts may match on it: \`--json\` prints it on stderr
as \`{"error": {"code", "message", "remedy", "details"}}\`. A job that fails is not an error: it is a
result.

_Exit_ is the exit code of the command line, _HTTP_ the status on the control socket. _Again_ says
whether the same call may succeed later without a change by a person.
`;

/** Code prefix → heading; the first that fits counts. */
const groups: readonly (readonly [RegExp, string])[] = [
  [/^(?:config-|usage)/, 'Configuration and usage'],
  [/^etcd-/, 'etcd'],
  [/^(?:state-|already-|journal-)/, 'State and journal'],
  [/^(?:job-|queue-|draining|input-)/, 'Queue'],
  [/^plugin-/, 'Plugins'],
  [/^(?:firing-|node-|trigger-|remote-|timed-)/, 'Firings'],
  [/^daemon-/, 'Control socket'],
  [/./, 'Other'],
];

export const renderErrorReference = (): string => {
  const rows = Object.entries(errorCatalogue);
  const headingOf = (code: string) => groups.find(([pattern]) => pattern.test(code))?.[1];
  const sections = groups.flatMap(([, heading]) => {
    const own = rows.filter(([code]) => headingOf(code) === heading);
    return own.length === 0 ? [] : [`## ${heading}`, '', ...renderTable(own), ''];
  });
  return [introduction, ...sections].join('\n');
};

const renderTable = (rows: readonly (readonly [string, CatalogueEntry])[]): string[] =>
  markdownTable([
    ['Code', 'What', 'What to do', 'Exit', 'HTTP', 'Again'],
    ...rows.map(([code, { summary, remedy, exit, http, retryable }]) => [
      `\`${code}\``,
      summary,
      remedy,
      String(exit),
      String(http),
      retryable ? 'yes' : '',
    ]),
  ]);
