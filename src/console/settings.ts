/** What can be set of each thing: by its key in a statement of the registry, how it is written. Console and command line share it. */
import type { SlotName, ValueOf } from './slots.ts';

export type Settings = Readonly<Record<string, SlotName>>;
export type Given<Of extends Settings> = { readonly [Key in keyof Of]?: ValueOf<Of[Key]> };

export const descriptionSetting = { description: 'text' } as const satisfies Settings;

export const serviceSettings = {
  ...descriptionSetting,
  algorithm: 'algorithm',
  retry: 'retry',
  timeout_ms: 'timeout',
  visibility: 'visibility',
} as const satisfies Settings;

export const definitionSettings = {
  ...descriptionSetting,
  plugin: 'plugin',
  args: 'pair',
  timeout_ms: 'timeout',
  visibility: 'visibility',
  framing: 'framing',
  delivery: 'delivery',
  durable: 'flag',
  max_message: 'size',
  deadline_ms: 'timeout',
  partial: 'partial',
  mode: 'mode',
} as const satisfies Settings;

export const userSettings = { ...descriptionSetting, role: 'role' } as const satisfies Settings;

/** `timeout_ms` is written `timeout`, `max_message` `max-message`. */
export const wordOf = (key: string): string => key.replace(/_ms$/, '').replaceAll('_', '-');
