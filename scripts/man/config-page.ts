import { stringify } from 'smol-toml';
import { variableName } from '../../src/config/environment.ts';
import { configShape, type KeyShape, type SectionShape, type Shape } from '../../src/config/shape.ts';
import { item, type PageTitle, page, paragraph, section, subsection, title } from './roff.ts';

/** triggerd.toml(5). */
export const configPage = (of: Pick<PageTitle, 'date' | 'version'>): string =>
  page(
    title({ name: 'triggerd.toml', section: 5, ...of }),
    section('name'),
    'triggerd.toml \\- configuration of triggerd',
    section('description'),
    paragraph(
      '`triggerd`(8) and `trigger`(1) read one TOML file: `--config FILE`, else `$TRIGGERD_CONFIG`, else `/etc/triggerd/triggerd.toml`. Without a file, all keys have their defaults. `trigger config check` shows all errors of a file at once. `trigger config print` shows the effective configuration.',
    ),
    paragraph(
      'An unknown key is an error. An environment variable overrides each key of the file, and flags override both. In a variable, commas separate the items of a list. Durations are written as `250ms`, `10s`, `5m`, `1h30m` or `30d`. Sizes are a number of bytes, or written as `64KiB`, `64MiB` or `10MB`.',
    ),
    section('sections'),
    [...configShape().entries].flatMap(([name, shape]) => describe([name], shape, [])),
    section('see also'),
    '.BR trigger (1),\n.BR triggerd (8)',
  );

type Path = readonly (string | null)[];

const describe = (path: Path, shape: Shape, placeholders: readonly string[]): string[] => {
  if (shape.kind === 'key') return [];
  const keys = [...shape.entries].filter((entry): entry is [string, KeyShape] => entry[1].kind === 'key');
  return [
    ...(keys.length > 0 ? [subsection(`[${heading(path, placeholders)}]`), paragraph(shape.about)] : []),
    ...keys.map(([name, key]) => item(name, meaning(key, [...path, name]))),
    ...belowOf(path, shape, placeholders),
  ];
};

const belowOf = (path: Path, { named }: SectionShape, placeholders: readonly string[]): string[] =>
  named === null ? [] : describe([...path, null], named.shape, [...placeholders, named.placeholder]);

const heading = (path: Path, placeholders: readonly string[]): string => {
  const names = [...placeholders];
  return path.map((part) => part ?? names.shift()).join('.');
};

const meaning = (key: KeyShape, path: Path): string => {
  const facts = [`Value: ${key.expected}.`, ...defaultOf(key), ...(key.secret === true ? ['Secret.'] : [])];
  return `${key.about} ${facts.join(' ')} Variable: \`$${variableName(path)}\`.`;
};

const defaultOf = ({ defaultValue, required }: KeyShape): string[] => {
  if (defaultValue === undefined) return required ? ['Required.'] : [];
  return [`Default: \`${stringify({ v: defaultValue }).trim().replace(/^v = /, '')}\`.`];
};
