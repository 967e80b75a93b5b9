/** Small questions about values from the wire. Cheap: they are asked of every message. */

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An integer from 0 on that JSON and JavaScript agree about. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const isCountOrNull = (value: unknown): value is number | null => value === null || isCount(value);

export const isText = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length <= max;

export const isTextOrNull = (value: unknown, max: number): value is string | null =>
  value === null || isText(value, max);

/** A name of the registry, as far as the bus looks at it: not empty, bounded, printable. */
export const isName = (value: unknown): value is string => isText(value, 255) && /^[^\p{Cc}]+$/u.test(value);

export const isNameOrNull = (value: unknown): value is string | null => value === null || isName(value);

/** A ULID. */
export const isRequestId = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(value);

export const isListOf = <Item>(
  value: unknown,
  max: number,
  isItem: (item: unknown) => item is Item,
): value is readonly Item[] => Array.isArray(value) && value.length <= max && value.every(isItem);

/** Texts by name, none of them called like what objects inherit. */
export const isTextMap = (value: unknown, max: number): value is Readonly<Record<string, string>> => {
  if (!isFields(value)) return false;
  const names = Object.keys(value);
  return names.length <= max && names.every((name) => name !== '__proto__' && typeof value[name] === 'string');
};

/** A field that older peers do not send. */
export const isIfAny = <Value>(value: unknown, is: (value: unknown) => value is Value): value is Value | undefined =>
  value === undefined || is(value);

/** Whether nothing in it is nested deeper; so that what looks at it later can't run out of stack. */
export const isShallow = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1));
};
