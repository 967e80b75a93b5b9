import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Without a file: checks the configuration in force, with the values that the environment overrides. Lists all problems, and
exits 2 if there are any. Warnings do not count as problems: they report readable secrets, workers that serve next to
nothing, and Puppet runs of [watch] run_cmd that triggerd cannot watch.`,
  examples: ['trigger config check', 'trigger config check /tmp/new-triggerd.toml'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.argument('[file]', 'file to check').action(
    run(async (session, given: string | undefined) => {
      const { loadConfig } = await import('../../support/load-config.ts');
      const { configWarnings } = await import('../../support/config-warnings.ts');
      const loaded = loadConfig({ file: given ?? session.configFile, env: session.env });
      const { file } = loaded;
      const warnings = configWarnings(loaded);
      const verdict = `${file ?? 'no file, everything is a default'}: ok`;
      await print(session, { file, ok: true, warnings }, () =>
        [verdict, ...warnings.map((warning) => `warning: ${warning}`)].join('\n'),
      );
      return 0;
    }),
  );
};
