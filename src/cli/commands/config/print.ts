import type { Define } from '../../command.ts';
import { print } from '../../print.ts';

export const define: Define = (command, run) => {
  command.addHelpText('after', '\nEvery value says where it came from; secrets are masked.').action(
    run(async (session) => {
      const { loadConfig } = await import('../../load-config.ts');
      const { maskSecrets, renderToml } = await import('../../../config/render-toml.ts');
      const overrides = { 'node.socket': session.socket };
      const loaded = loadConfig({ file: session.configFile, env: session.env, overrides });
      await print(session, maskSecrets(loaded.config), () => renderToml(loaded));
      return 0;
    }),
  );
};
