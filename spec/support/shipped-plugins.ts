import { join } from 'node:path';
import { execa } from 'execa';
import { createPluginFiles } from '../../src/adapters/files/plugin-files.ts';
import { baseEnvironment } from '../../src/adapters/system/base-env.ts';
import { argumentVariable } from '../../src/plugin/argument-rule.ts';
import { resolveArguments } from '../../src/plugin/arguments.ts';
import { type Plugin, readManifest } from '../../src/plugin/manifest.ts';
import { root } from './node.ts';

export interface PluginRun {
  readonly args?: Readonly<Record<string, string>>;
  /** What the manifest of a copy has as `fixed`. */
  readonly fixed?: Readonly<Record<string, string>>;
  readonly payload?: string | Uint8Array;
  /** On top of what a job has. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A shipped plugin, or a copy of it whose owner has fixed these arguments. */
export const shippedPlugin = (name: string, fixed: Readonly<Record<string, string>> = {}): Plugin => {
  const plugin = readManifest(createPluginFiles(join(root, 'plugins')).find(name));
  const args = Object.entries(plugin.manifest.args).map(([key, rule]) => {
    const value = fixed[key];
    return [key, value === undefined ? rule : { ...rule, fixed: value, default: null }];
  });
  return { ...plugin, manifest: { ...plugin.manifest, args: Object.fromEntries(args) } };
};

/**
 * Starts a shipped plugin's executable with the environment that a job of it would have: arguments checked against the
 * manifest, nothing inherited. Throws `plugin-arguments` as the daemon would. Without a payload its input stays open.
 */
export const startPlugin = (name: string, { args = {}, fixed, payload, env = {}, cwd = '/' }: PluginRun = {}) => {
  const plugin = shippedPlugin(name, fixed);
  const given = Object.entries(resolveArguments(plugin, args)).map(([key, value]) => [argumentVariable(key), value]);
  return execa(plugin.executable, [], {
    cwd,
    extendEnv: false,
    env: {
      ...baseEnvironment(),
      TRIGGERD_NODE: 'lb01',
      TRIGGERD_NOOP: '0',
      TRIGGERD_RUNTIME: process.execPath,
      ...Object.fromEntries(given),
      ...env,
    },
    ...(payload === undefined ? {} : { input: payload }),
    reject: false,
    stripFinalNewline: false,
  });
};

/** The same until its end; without a payload its input is empty. */
export const runPlugin = async (name: string, run: PluginRun = {}) => {
  const { stdout, stderr, exitCode } = await startPlugin(name, { payload: '', ...run });
  return { stdout, stderr, exitCode };
};
