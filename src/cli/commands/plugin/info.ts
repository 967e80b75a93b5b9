import type { PluginView } from '../../../api/contract.ts';
import type { Define } from '../../command.ts';
import { query } from '../../options.ts';
import { print } from '../../print.ts';
import { renderPlugin } from '../../render/plugin.ts';

export const define: Define = (command, run) => {
  command.argument('<name>', 'the plugin: its path below the plugins folder').action(
    run(async (session, name: string) => {
      const plugin = await session.client.request<PluginView>(`/v1/plugin${query({ name })}`);
      await print(session, plugin, () => renderPlugin(plugin, session.terminal.columns));
      return 0;
    }),
  );
};
