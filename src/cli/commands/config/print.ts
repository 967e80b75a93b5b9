import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Each value names its source; secrets are masked.`,
  examples: ['trigger config print', 'TRIGGERD_JOBS_GRACE=3s trigger config print | grep grace'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.action(
    run(async (session) => {
      const { loadConfig } = await import('../../support/load-config.ts');
      const { maskSecrets, renderToml } = await import('../../../config/render-toml.ts');
      const overrides = { 'node.socket': session.socket };
      const loaded = loadConfig({ file: session.configFile, env: session.env, overrides });
      const { configWarnings } = await import('../../support/config-warnings.ts');
      const comments = (): string =>
        configWarnings(loaded)
          .map((warning) => `# warning: ${warning}\n`)
          .join('');
      await print(session, maskSecrets(loaded.config), () => `${comments()}${renderToml(loaded)}`);
      return 0;
    }),
  );
};
