import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { requestPlugins } from '../../../src/config/workers.ts';

const served = (text: string) => requestPlugins(parseConfig({ file: { path: '/f.toml', text }, env: {} }).config);

it.each([
  ['neither allow nor pluginspath', '', { kind: 'harmless', names: ['echo', 'echo/fast', 'monitor'] }],
  ['only a folder for all plugins', '[plugins]\npath = "/p"', { kind: 'harmless' }],
  ['pluginspath', '[workers]\npluginspath = "/p"', { kind: 'folder' }],
  ['allow', '[workers]\nallow = ["command"]', { kind: 'list', names: ['command'] }],
  ['an empty allow', '[workers]\nallow = []\npluginspath = "/p"', { kind: 'list', names: [] }],
])('the plugins that requests may start are known where the file has %s', (_what, text, expected) => {
  expect(served(text)).toMatchObject(expected);
});
