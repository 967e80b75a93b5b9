import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Without a file: the one that is in force, with what the environment overrides. Exits 2 when there are problems, and
names all of them. A warning is no problem: it says who can read a secret, that workers serve next to nothing, or
what triggerd cannot see of the runs that [watch] run_cmd starts.`,
  examples: ['trigger config check', 'trigger config check /tmp/new-triggerd.toml'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.argument('[file]', 'the file to check').action(
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
