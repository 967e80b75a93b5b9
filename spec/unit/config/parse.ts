import { type ConfigInput, type LoadedConfig, parseConfig } from '../../../src/config/config.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';

/** A configuration from a text. */
export const parse = (text: string, more: Partial<ConfigInput> = {}): LoadedConfig =>
  parseConfig({ file: { path: '/etc/t.toml', text }, env: {}, ...more });

/** The error that the text is refused with. */
export const refusal = (text: string, more: Partial<ConfigInput> = {}): TriggerdError => {
  try {
    parse(text, more);
  } catch (error) {
    if (error instanceof TriggerdError) return error;
    throw error;
  }
  throw new Error('the configuration was not refused');
};
