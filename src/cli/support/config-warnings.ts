import { parseArgsStringToArgv } from 'string-argv';
import { fileAccess } from '../../adapters/system/file-access.ts';
import type { LoadedConfig } from '../../config/config.ts';
import { exposuresOf } from '../../config/exposure.ts';
import { configuredWorkers, harmlessNotice, requestPlugins } from '../../config/workers.ts';
import { unobservedRuns } from '../../plugin/puppet/command-line.ts';
import { relativePath } from '../../plugin/puppet/relative-path.ts';

/** Who may read or change the configuration file that should not, a sentence each with its remedy. */
export const exposureWarnings = (loaded: Pick<LoadedConfig, 'file' | 'sources'>): string[] => {
  const access = loaded.file === null ? undefined : fileAccess(loaded.file);
  return exposuresOf(loaded, access, process.getuid?.() ?? 0).map(({ what, remedy }) => `${what}: ${remedy}`);
};

/** All that `trigger config` has to say about a configuration that is valid. */
export const configWarnings = (loaded: LoadedConfig): string[] => {
  const { config } = loaded;
  const isHarmless = configuredWorkers(config).length > 0 && requestPlugins(config).kind === 'harmless';
  const runCommand = config.watch.enabled ? parseArgsStringToArgv(config.watch.run_cmd) : [];
  const ofRunCommand = [unobservedRuns(runCommand), relativePath(runCommand)].filter((each) => each !== null);
  return [
    ...exposureWarnings(loaded),
    ...(isHarmless ? [harmlessNotice] : []),
    ...ofRunCommand.map(({ what, remedy }) => `[watch] ${what}. ${remedy}`),
  ];
};
