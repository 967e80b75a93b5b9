/** `trigger config print`: the whole effective configuration as TOML that loads again, secrets masked. */
import { stringify } from 'smol-toml';
import { withoutUser } from '../kit/address.ts';
import { formatDuration } from '../kit/duration.ts';
import { formatSize } from '../kit/size.ts';
import { type LoadedConfig, sourceLabel } from './config.ts';
import { isTable, sourceKey } from './layers.ts';
import { dotted } from './problem.ts';
import type { Config } from './schema.ts';
import { childOf, configShape, type KeyShape, type SectionShape } from './shape.ts';

const mask = '********';

/** The configuration with every secret replaced; durations and sizes as people write them. */
export const maskSecrets = (config: Config): Record<string, unknown> => writtenSection(configShape(), config);

const writtenSection = (shape: SectionShape, values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => {
        const child = childOf(shape, name);
        if (child?.kind === 'key') return [name, writtenValue(child, value)];
        return [name, child !== undefined && isTable(value) ? writtenSection(child, value) : value];
      }),
  );

const writtenValue = (key: KeyShape, value: unknown): unknown => {
  if (key.secret === true) return mask;
  if (key.type === 'duration') return formatDuration(Number(value));
  if (key.type === 'size') return formatSize(Number(value));
  // `[puppetdb] report_url` may have one.
  return typeof value === 'string' ? withoutUser(value, mask) : value;
};

/** One line per value, with a comment that says where it came from. */
export const renderToml = ({ config, sources }: Pick<LoadedConfig, 'config' | 'sources'>): string => {
  const originOf = (path: readonly string[]): string => {
    const source = sources.get(sourceKey(path));
    return source === undefined ? 'default' : sourceLabel(source);
  };
  return renderTables(maskSecrets(config), [], originOf).join('\n').trimStart();
};

const renderTables = (
  table: Readonly<Record<string, unknown>>,
  path: readonly string[],
  originOf: (path: readonly string[]) => string,
): string[] => {
  const entries = Object.entries(table);
  const values = entries.filter(([, value]) => !isTable(value));
  const lines = values.map(([name, value]) => {
    const line = stringify({ [name]: value }).trimEnd();
    return `${line}  # ${originOf([...path, name])}`;
  });
  const heading = path.length > 0 && values.length > 0 ? ['', `[${dotted(path)}]`] : [];
  const tables = entries.flatMap(([name, value]) =>
    isTable(value) ? renderTables(value, [...path, name], originOf) : [],
  );
  return [...heading, ...lines, ...tables, ...(path.length === 0 ? [''] : [])];
};
