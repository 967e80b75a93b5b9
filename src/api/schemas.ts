import * as v from 'valibot';
import { maxSlots } from '../domain/job.ts';
import { hasLoneSurrogate } from '../kit/text.ts';

/** Parts that several requests share. */
const hasNoNul = (value: string): boolean => !value.includes('\0');

/** Never with a NUL: arguments, environments and file names can't hold one, and it would fail only at the start. */
export const text = (max: number) =>
  v.pipe(
    v.string(),
    v.maxLength(max),
    v.check(hasNoNul, 'Expected no NUL character'),
    v.check((value) => !hasLoneSurrogate(value), 'Expected no half of a surrogate pair'),
  );
/** A name is checked by `domain/names.ts`, which has a code of its own for each kind. */
export const name = v.string();
export const hosts = v.pipe(v.array(name), v.minLength(1, 'Expected at least one host'), v.maxLength(20_000));
export const positiveInteger = v.pipe(v.number(), v.integer(), v.minValue(1));
export const durationMs = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366 * 86_400_000));
export const slots = v.pipe(positiveInteger, v.maxValue(maxSlots));
export const stringMap = v.record(text(128), text(1_000_000));

/** Numbers in a path or query are digits. */
export const digits = v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/, 'Expected a number'), v.transform(Number));

/** ISO 8601 → ms since the epoch. */
export const time = v.pipe(
  v.string(),
  v.isoTimestamp('Expected a time such as 2026-11-20T12:00:00Z'),
  v.transform(Date.parse),
);

export const jobParams = v.object({ id: digits });
export const queueParams = v.object({ name: text(64) });
export const firingParams = v.object({ id: text(26) });
export const pluginQuery = v.object({ name });
export const waitQuery = v.object({ timeout_ms: v.optional(digits) });
