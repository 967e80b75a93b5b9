import type { RequestRecord } from '../../domain/request-record.ts';
import type { Statement } from '../../registry/statements.ts';
import type { Define } from '../command.ts';
import { askRegistry } from '../registry/ask-registry.ts';
import { findTeam, type TeamOption } from '../registry/find-team.ts';
import { addTeamOption } from '../registry/team-option.ts';
import { painter } from '../render/color.ts';
import { renderHistory, renderRequest } from '../render/history.ts';
import { addHelp, type HelpText } from '../support/help.ts';
import { count } from '../support/options.ts';
import { print } from '../support/print.ts';
import type { Session } from '../support/session.ts';

interface Options extends TeamOption {
  readonly service?: string;
  readonly worker?: string;
  readonly limit?: number;
}

const help: HelpText = {
  details: `
One line per request, the newest first. With an id: all about one, with the end of what each worker printed. All that it
printed is on the worker: \`trigger queue cat\` there.`,
  examples: [
    'trigger history',
    'trigger history --service demoservice --limit 20',
    'trigger history 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
    "trigger history --json | jq '.[] | select(.exit_code != 0)'",
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addTeamOption(command.argument('[id]', 'a request'))
    .option('--service <service>', 'only those that were sent to it')
    .option('--worker <worker>', 'only those that it had a part in')
    .option('--limit <number>', 'no more than this (default: 100)', count)
    .action(run(history));
};

const history = async (session: Session, id: string | undefined, options: Options): Promise<number> => {
  const statement = statementOf(await findTeam(session, options), id, options);
  const { rows } = await askRegistry(session.client, statement);
  const records = rows as RequestRecord[];
  const { columns, color } = session.terminal;
  if (id === undefined)
    await print(session, records, () => renderHistory(records, { columns, now: Date.now(), paint: painter(color) }));
  else await print(session, records[0] ?? null, () => records.map(renderRequest).join('\n\n'));
  return 0;
};

const statementOf = (team: string, request: string | undefined, { service, worker, limit }: Options): Statement => ({
  verb: 'history.list',
  team,
  ...(request === undefined ? {} : { request }),
  ...(service === undefined ? {} : { service }),
  ...(worker === undefined ? {} : { worker }),
  ...(limit === undefined ? {} : { limit }),
});
