import type { PluginView } from '../../../api/contract/plugins.ts';
import type { Define } from '../../command.ts';
import { painter } from '../../render/color.ts';
import { renderPlugins } from '../../render/plugin.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  examples: ['trigger plugin list'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.action(
    run(async (session) => {
      const plugins = await session.client.request<PluginView[]>('/v1/plugins');
      const { columns, color } = session.terminal;
      await print(session, plugins, () => renderPlugins(plugins, { columns, paint: painter(color) }));
      return 0;
    }),
  );
};
