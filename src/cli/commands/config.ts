import type { Verbs } from '../command.ts';
import { print } from '../support/session.ts';

export const verbs: Verbs = {
  check: {
    summary: 'list all problems of a configuration file',
    details: `
Without a file: checks the configuration in force, with the values that the environment overrides. Lists all problems, and
exits 2 if there are any. Warnings do not count as problems: they report readable secrets, workers that serve next to
nothing, and Puppet runs of [watch] run_cmd that triggerd cannot watch.`,
    examples: ['trigger config check', 'trigger config check /tmp/new-triggerd.toml'],
    define: (command, run) =>
      command.argument('[file]', 'file to check').action(
        run(async (session, given: string | undefined) => {
          const { loadConfig } = await import('../support/load-config.ts');
          const { configWarnings } = await import('../support/config-warnings.ts');
          const loaded = loadConfig({ file: given ?? session.configFile, env: session.env });
          const { file } = loaded;
          const warnings = configWarnings(loaded);
          const verdict = `${file ?? 'no file, everything is a default'}: ok`;
          await print(session, { file, ok: true, warnings }, () =>
            [verdict, ...warnings.map((warning) => `warning: ${warning}`)].join('\n'),
          );
        }),
      ),
  },
  print: {
    summary: 'print the configuration in force',
    details: `
Each value names its source; secrets are masked.`,
    examples: ['trigger config print', 'TRIGGERD_JOBS_GRACE=3s trigger config print | grep grace'],
    define: (command, run) =>
      command.action(
        run(async (session) => {
          const { loadConfig } = await import('../support/load-config.ts');
          const { maskSecrets, renderToml } = await import('../../config/render-toml.ts');
          const { configWarnings } = await import('../support/config-warnings.ts');
          const overrides = { 'node.socket': session.socket };
          const loaded = loadConfig({ file: session.configFile, env: session.env, overrides });
          await print(session, maskSecrets(loaded.config), () => {
            const comments = configWarnings(loaded).map((warning) => `# warning: ${warning}\n`);
            return `${comments.join('')}${renderToml(loaded)}`;
          });
        }),
      ),
  },
};
