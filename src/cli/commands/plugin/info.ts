import type { PluginView } from '../../../api/contract/plugins.ts';
import type { Define } from '../../command.ts';
import { renderPlugin } from '../../render/plugin.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { query } from '../../support/options.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  examples: ['trigger plugin info puppet'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.argument('<plugin>', 'path below the plugins folder').action(
    run(async (session, name: string) => {
      const plugin = await session.client.request<PluginView>(`/v1/plugin${query({ name })}`);
      await print(session, plugin, () => renderPlugin(plugin, session.terminal.columns));
      return 0;
    }),
  );
};
