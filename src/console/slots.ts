/** What may stand in a statement where a word of the grammar does not: `<worker>`, `<duration>`. */

import type { Algorithm, Retry, Visibility } from '../domain/service.ts';
import { formatDuration, parseDuration } from '../kit/duration.ts';
import { parseSize } from '../kit/size.ts';
import type { Framing, PartialMessage, Role } from '../registry/model.ts';

export interface Slot<Value = unknown> {
  /** As help shows it. */
  readonly shown: string;
  /** In a message: “expected …”. */
  readonly expected: string;
  /** Undefined: no such value. Names are judged by the registry, which can say more about them. */
  readonly read: (text: string) => Value | undefined;
  /** All the words that it may be. */
  readonly choices?: readonly string[];
}

const text = (shown: string, expected: string): Slot<string> => ({ shown, expected, read: (given) => given });

const name = (shown: string): Slot<string> => ({
  shown,
  expected: `the name of a ${shown}`,
  read: (given) => (given === '' ? undefined : given),
});

const oneOf = <const Choice extends string>(...choices: readonly Choice[]): Slot<Choice> => ({
  shown: choices.join('|'),
  expected: `one of ${choices.join(', ')}`,
  read: (given) => choices.find((choice) => choice === given),
  choices,
});

const path: Slot<string> = {
  shown: 'path',
  expected: 'a path that begins with /',
  read: (given) => (given.startsWith('/') ? given : undefined),
};

const positive = (value: number | undefined): number | undefined => (value === 0 ? undefined : value);

const duration: Slot<number> = {
  shown: 'duration',
  expected: 'a duration such as 10s, 5m or 1h30m',
  read: (given) => positive(parseDuration(given)),
};

/** A duration, or none. */
const timeout: Slot<number | null> = {
  shown: 'duration|none',
  expected: `a duration such as ${formatDuration(10_000)}, or none`,
  read: (given) => (given === 'none' ? null : duration.read(given)),
};

/** What becomes of a message whose writer was killed, or none. */
const partial: Slot<PartialMessage | null> = {
  shown: 'send|drop|none',
  expected: 'one of send, drop, none',
  read: (given) => (given === 'none' ? null : given === 'send' || given === 'drop' ? given : undefined),
  choices: ['send', 'drop', 'none'],
};

const flag: Slot<boolean> = {
  shown: 'yes|no',
  expected: 'yes or no',
  read: (given) => (given === 'yes' ? true : given === 'no' ? false : undefined),
  choices: ['yes', 'no'],
};

const mode: Slot<number> = {
  shown: 'mode',
  expected: 'permission bits such as 0644',
  read: (given) => (/^0?[0-7]{3}$/.test(given) ? Number.parseInt(given, 8) : undefined),
};

const size: Slot<number> = {
  shown: 'size',
  expected: 'a size such as 64KiB or 1MiB',
  read: (given) => positive(parseSize(/^\d+$/.test(given) ? Number(given) : given)),
};

const count: Slot<number> = {
  shown: 'number',
  expected: 'a whole number from 1 on',
  read: (given) => (/^[1-9]\d{0,5}$/.test(given) ? Number(given) : undefined),
};

/** `NAME=VALUE` → an object of that one. */
const pair: Slot<Readonly<Record<string, string>>> = {
  shown: 'name=value',
  expected: 'NAME=VALUE',
  read: (given) => {
    const at = given.indexOf('=');
    return at < 1 ? undefined : { [given.slice(0, at)]: given.slice(at + 1) };
  },
};

/** By the names that the patterns of `grammar.ts` use. */
export const slots = {
  worker: name('worker'),
  service: name('service'),
  trigger: name('trigger'),
  team: name('team'),
  user: name('user'),
  path,
  plugin: text('plugin', 'a plugin such as command/command'),
  text: text('text', 'a text; quote one with blanks'),
  secret: text('password', 'a password'),
  request: text('id', 'the id of a request'),
  argument: text('argument', 'the name of an argument'),
  word: text('word', 'a word'),
  algorithm: oneOf<Algorithm>('roundrobin', 'serial', 'mirror'),
  retry: oneOf<Retry>('if-unstarted', 'always'),
  visibility: oneOf<Visibility>('local', 'team', 'public'),
  framing: oneOf<Framing>('write', 'line', 'close'),
  delivery: oneOf('async', 'sync'),
  role: oneOf<Role>('member', 'admin'),
  timeout,
  duration,
  partial,
  flag,
  mode,
  size,
  count,
  pair,
} as const satisfies Record<string, Slot>;

export type SlotName = keyof typeof slots;
export type ValueOf<Name extends SlotName> = (typeof slots)[Name] extends Slot<infer Value> ? Value : never;
