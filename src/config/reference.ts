/** `docs/reference/configuration.md`, made from the schema by `scripts/docs.ts`. */
import { stringify } from 'smol-toml';
import { variableName } from './environment.ts';
import { markdownTable } from './markdown.ts';
import { configShape, type KeyShape, type SectionShape } from './shape.ts';

const introduction = `# Configuration

<!-- Made by \`npm run docs\` from src/config/schema.ts: change it there. -->

The configuration is one TOML file: \`--config FILE\`, else \`$TRIGGERD_CONFIG\`, else
\`/etc/triggerd/triggerd.toml\`. Without a file, every key has its default. \`trigger config check\`
shows all problems of a file at once; \`trigger config print\` shows the effective values and where
each comes from, with secrets masked.

- An unknown key is an error.
- The environment variable of a key overrides the file; flags override both. Separate lists by
  commas; booleans are \`true\` or \`false\`.
- Durations are \`250ms\`, \`10s\`, \`5m\`, \`1h30m\`, \`30d\`; sizes are a number of bytes or \`64KiB\`,
  \`64MiB\`, \`10MB\`.
`;

export const renderConfigReference = (): string =>
  [introduction, ...[...configShape().entries].flatMap(([name, shape]) => renderSection([name], shape))].join('\n');

type Path = readonly (string | null)[];

const renderSection = (path: Path, shape: SectionShape | KeyShape, placeholders: readonly string[] = []): string[] => {
  if (shape.kind === 'key') return [];
  const keys = [...shape.entries].filter((entry): entry is [string, KeyShape] => entry[1].kind === 'key');
  const own = [`## \`[${heading(path, placeholders)}]\``, '', shape.about, ''];
  const table = keys.length > 0 ? [...renderTable(path, keys), ''] : [];
  const named = shape.named;
  const below = named === null ? [] : renderSection([...path, null], named.shape, [...placeholders, named.placeholder]);
  return named !== null && keys.length === 0 ? [...below] : [...own, ...table, ...below];
};

const heading = (path: Path, placeholders: readonly string[]): string => {
  const names = [...placeholders];
  return path.map((part) => part ?? names.shift()).join('.');
};

const renderTable = (path: Path, keys: readonly [string, KeyShape][]): string[] =>
  markdownTable([
    ['Key', 'Value', 'Default', 'Meaning'],
    ...keys.map(([name, key]) => {
      const about = `${key.about} ${key.secret === true ? 'Secret. ' : ''}\`$${variableName([...path, name])}\``;
      return [`\`${name}\``, key.expected.replaceAll('*', '\\*'), defaultOf(key), about];
    }),
  ]);

const defaultOf = (key: KeyShape): string => {
  if (key.defaultValue === undefined) return key.required ? 'required' : '';
  const written = stringify({ v: key.defaultValue }).trim();
  return `\`${written.replace(/^v = /, '')}\``;
};
