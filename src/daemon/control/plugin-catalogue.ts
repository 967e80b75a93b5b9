import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTail } from '../../adapters/files/tail-file.ts';
import type { PluginTestView } from '../../api/contract/plugins.ts';
import type { PluginCatalogue } from '../../api/services/services.ts';
import { createPluginTest } from '../../plugin/test-plugin.ts';
import type { Runtime } from '../compose/runtime.ts';
import { outputFile } from './outputs-service.ts';

/** The plugins of this node, and how they are tried. */
export const pluginCatalogue = ({
  plugins,
  runner,
  state,
}: Pick<Runtime, 'plugins' | 'runner' | 'state'>): PluginCatalogue => {
  const runTest = createPluginTest({
    catalogue: plugins,
    runner,
    newFolder: async () => {
      const path = await mkdtemp(join(state.path, 'plugin-test-'));
      return { path, remove: () => rm(path, { recursive: true, force: true }) };
    },
    readOutput: async (folder) => (await readTail(outputFile(folder), 65_536)) ?? Buffer.alloc(0),
    now: () => Date.now(),
  });
  return {
    names: () => plugins.names(),
    find: (name) => plugins.find(name),
    isAllowed: (name) => plugins.isAllowed(name),
    test: async (name): Promise<PluginTestView> => {
      const { expectedExitCode, exitCode, output, outputBase64, problem } = await runTest(name);
      const bytes = outputBase64 === undefined ? {} : { output_base64: outputBase64 };
      const expected = { expected_exit_code: expectedExitCode, exit_code: exitCode };
      return { name, ok: problem === null, ...expected, output, ...bytes, problem };
    },
  };
};
