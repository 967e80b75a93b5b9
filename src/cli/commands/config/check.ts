import type { Define } from '../../command.ts';
import { print } from '../../print.ts';

const help = `
Without a file: the one that is in force, with what the environment overrides. Exits 2 when there are problems, and
names all of them.`;

export const define: Define = (command, run) => {
  command
    .argument('[file]', 'the file to check')
    .addHelpText('after', help)
    .action(
      run(async (session, given: string | undefined) => {
        const { loadConfig } = await import('../../load-config.ts');
        const { file } = loadConfig({ file: given ?? session.configFile, env: session.env });
        await print(session, { file, ok: true }, () => `${file ?? 'no file, everything is a default'}: ok`);
        return 0;
      }),
    );
};
