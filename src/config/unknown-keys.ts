import { didYouMean, type Problem } from './problem.ts';
import { childOf, type SectionShape } from './shape.ts';

/**
 * The keys that the schema does not know. An own walk instead of valibot's strict objects: those look names up with
 * `in`, which finds `__proto__` and `constructor` in every object.
 */
export const findUnknownKeys = (shape: SectionShape, raw: unknown, path: readonly string[] = []): Problem[] => {
  if (!isTable(raw)) return [];
  return Object.keys(raw).flatMap((name) => {
    const child = childOf(shape, name);
    const childPath = [...path, name];
    if (child === undefined) return [{ path: childPath, message: unknownMessage(shape, name, path.length === 0) }];
    return child.kind === 'section' ? findUnknownKeys(child, raw[name], childPath) : [];
  });
};

const unknownMessage = (shape: SectionShape, name: string, top: boolean): string => {
  if (shape.named !== null)
    return `not a name: letters, digits, “_”, “.” and “-”, starting with a letter or digit, at most 64${didYouMean(name, [...shape.entries.keys()])}`;
  return `unknown ${top ? 'section' : 'key'}${didYouMean(name, [...shape.entries.keys()])}`;
};

/** A TOML table: an object that is neither a list nor a date. */
export const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
