import type { PluginTestView } from '../../../api/contract/plugins.ts';
import type { Define } from '../../command.ts';
import { renderPluginTest } from '../../render/plugin.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { query } from '../../support/options.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Runs the test in the plugin’s manifest on this node, for real. Exits 1 unless the result is the one in the manifest.`,
  examples: ['trigger plugin test echo'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.argument('<plugin>', 'path below the plugins folder').action(
    run(async (session, name: string) => {
      const path = `/v1/plugin/test${query({ name })}`;
      const test = await session.client.request<PluginTestView>(path, { method: 'POST', patient: true });
      await print(session, test, () => renderPluginTest(test));
      return test.ok ? 0 : 1;
    }),
  );
};
