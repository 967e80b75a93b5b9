import type { PluginTestView } from '../../../api/contract.ts';
import type { Define } from '../../command.ts';
import { query } from '../../options.ts';
import { print } from '../../print.ts';
import { renderPluginTest } from '../../render/plugin.ts';

const help = `
Runs the invocation of the plugin’s manifest on this node, for real. Exits 1 when it did not end as the manifest says.`;

export const define: Define = (command, run) => {
  command
    .argument('<name>', 'the plugin: its path below the plugins folder')
    .addHelpText('after', help)
    .action(
      run(async (session, name: string) => {
        const path = `/v1/plugin/test${query({ name })}`;
        const test = await session.client.request<PluginTestView>(path, { method: 'POST', patient: true });
        await print(session, test, () => renderPluginTest(test));
        return test.ok ? 0 : 1;
      }),
    );
};
