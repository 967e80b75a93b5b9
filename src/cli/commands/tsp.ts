import type { Define } from '../command.ts';
import type { HelpText } from '../support/options.ts';
import { actAsTsp } from '../tsp/act.ts';
import { parseTsp, TspRefusal } from '../tsp/parse.ts';

export const help: HelpText = {
  details: `
Options and output are those of task-spooler; \`trigger tsp -h\` shows the options. The list shows only jobs of this command,
numbered from 0. The queue is "default", or $TS_QUEUE.`,
  examples: [
    'trigger tsp -L backup tar -czf /srv/backup.tgz /srv/data',
    'trigger tsp',
    'trigger tsp -w',
    "alias tsp='trigger tsp'",
  ],
};

export const define: Define = (command, run) =>
  command.argument('[command...]', 'options of tsp, and the command to run').action(
    run(async (session, words: readonly string[]) => {
      try {
        return (await actAsTsp(session, parseTsp(words))) & 0xff;
      } catch (thrown) {
        if (!(thrown instanceof TspRefusal)) throw thrown;
        session.terminal.err(`${thrown.message}\n`);
        return 255;
      }
    }),
  );
