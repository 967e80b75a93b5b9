/** Prometheus' text format, read strictly: whatever a careful reader could object to throws. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const nameSyntax = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const labelSyntax = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const sampleLine = new RegExp(`^(${nameSyntax})(?:\\{(${labelSyntax}(?:,${labelSyntax})*)\\})? (\\S+)$`);

export const readExposition = (text: string): ReadonlyMap<string, Family> => {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  let help: [string, string] | undefined;
  let current = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === 'HELP') help = [name, rest];
    else if (keyword === 'TYPE') {
      if (help?.[0] !== name) throw new Error(`${name} has no help`);
      if (families.has(name)) throw new Error(`${name} comes twice`);
      if (!['counter', 'gauge', 'histogram'].includes(rest)) throw new Error(`${name} is a ${rest}`);
      if ((rest === 'counter') !== name.endsWith('_total')) throw new Error(`${name} is a ${rest}`);
      families.set(name, { type: rest, help: help[1], samples: [] });
      current = name;
    } else families.get(current)?.samples.push(readSample(line, current, families.get(current)?.type));
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
};

const readSample = (line: string, family: string, type: string | undefined): Sample => {
  const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? [];
  if (name === '') throw new Error(`not a sample: ${line}`);
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!suffixes.some((suffix) => name === family + suffix)) throw new Error(`${name} is among ${family}`);
  if (!/^[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf|NaN)$/.test(value)) throw new Error(`not a value: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [
    key,
    text,
  ]);
  return { name, labels: Object.fromEntries(pairs), value: Number(value.replace('Inf', 'Infinity')) };
};

const checkFamily = (name: string, { type, samples }: Family): void => {
  const series = samples.map((sample) => `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`);
  if (new Set(series).size < series.length) throw new Error(`${name} has a series twice`);
  if (type === 'histogram') checkHistogram(name, samples);
  else if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is negative`);
};

const checkHistogram = (name: string, samples: readonly Sample[]): void => {
  const keyOf = ({ labels: { le: _, ...labels } }: Sample): string => JSON.stringify(Object.entries(labels).sort());
  for (const key of new Set(samples.map(keyOf))) {
    const own = samples.filter((sample) => keyOf(sample) === key);
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const count = own.find((sample) => sample.name === `${name}_count`)?.value;
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('Inf', 'Infinity')));
    const values = buckets.map(({ value }) => value);
    if (bounds.some((bound, at) => at > 0 && !(bound > (bounds[at - 1] ?? 0)))) throw new Error(`${name}: bounds`);
    if (values.some((value, at) => at > 0 && value < (values[at - 1] ?? 0))) throw new Error(`${name}: not cumulative`);
    if (bounds.at(-1) !== Infinity || values.at(-1) !== count) throw new Error(`${name}: the last bucket is not all`);
  }
};

/** The value of the one series with exactly these labels. */
export const seriesValue = (
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined => {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const wanted = JSON.stringify(Object.entries(labels).sort());
  const isIt = (sample: Sample): boolean =>
    sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted;
  return family?.samples.find(isIt)?.value;
};
