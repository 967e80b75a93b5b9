/**
 * The schema as a plain tree: what the checks for unknown keys, the environment, `config print` and the reference page
 * walk. The only place that looks inside valibot's schemas.
 */
import type { KeyFacts } from './leaf.ts';
import { configSchema } from './schema.ts';

export type Shape = SectionShape | KeyShape;

export interface SectionShape {
  readonly kind: 'section';
  readonly about: string;
  readonly entries: ReadonlyMap<string, Shape>;
  /** What a subsection with a name of the user's choice is, as in `[queues.NAME]`; null when there are none. */
  readonly named: { readonly placeholder: string; readonly shape: Shape } | null;
}

export interface KeyShape extends KeyFacts {
  readonly kind: 'key';
  readonly about: string;
  readonly required: boolean;
  /** As written in the file; undefined when there is none. */
  readonly defaultValue: unknown;
}

/** The parts of a valibot schema that we look at. */
interface RawSchema {
  readonly type: string;
  readonly wrapped?: RawSchema;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, RawSchema>>;
  readonly rest?: RawSchema;
  readonly value?: RawSchema;
  readonly pipe?: readonly { readonly type: string; readonly description?: string; readonly metadata?: Facts }[];
}
type Facts = { readonly facts?: KeyFacts; readonly names?: string };

export const configShape = (): SectionShape => shapeOf(configSchema as unknown as RawSchema) as SectionShape;

const shapeOf = (schema: RawSchema, defaultValue?: unknown, optional = false): Shape => {
  if (schema.wrapped !== undefined) return shapeOf(schema.wrapped, schema.default, true);
  const { about, facts, names } = selfDescription(schema);
  if (facts !== undefined) return { kind: 'key', about, required: !optional, defaultValue, ...facts };
  const rest = schema.rest ?? schema.value;
  return {
    kind: 'section',
    about,
    entries: new Map(Object.entries(schema.entries ?? {}).map(([name, entry]) => [name, shapeOf(entry)])),
    named: rest === undefined ? null : { placeholder: names ?? 'NAME', shape: shapeOf(rest) },
  };
};

const selfDescription = (schema: RawSchema): { about: string } & Facts => {
  const pipe = schema.pipe ?? [];
  const about = pipe.find((item) => item.type === 'description')?.description ?? '';
  return { about, ...pipe.find((item) => item.type === 'metadata')?.metadata };
};

/** The shape at a path, where names of the user's choice count as what their section says; undefined: no such key. */
export const shapeAt = (shape: Shape, path: readonly string[]): Shape | undefined => {
  const [first, ...rest] = path;
  if (first === undefined) return shape;
  const next = shape.kind === 'section' ? childOf(shape, first) : undefined;
  return next && shapeAt(next, rest);
};

export const childOf = (section: SectionShape, name: string): Shape | undefined =>
  section.entries.get(name) ?? (section.named !== null && isGivenName(name) ? section.named.shape : undefined);

/** What a queue, a team or a worker may be called. Keeps `__proto__`, `constructor` and paths out. */
export const isGivenName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name) && !(name in {});

/** Every key with its path; a `null` stands for a name of the user's choice. */
export const keysOf = (shape: Shape, path: readonly (string | null)[] = []): [(string | null)[], KeyShape][] => {
  if (shape.kind === 'key') return [[[...path], shape]];
  const fixed = [...shape.entries].flatMap(([name, entry]) => keysOf(entry, [...path, name]));
  return shape.named === null ? fixed : [...fixed, ...keysOf(shape.named.shape, [...path, null])];
};
