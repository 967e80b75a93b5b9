import type { RequestRecord } from '../../domain/request-record.ts';
import { given } from '../../kit/given.ts';
import type { Statement } from '../../registry/statements.ts';
import type { Define } from '../command.ts';
import { askRegistry } from '../registry/ask-registry.ts';
import type { TeamOption } from '../registry/find-team.ts';
import { addTeamOption, findTeam } from '../registry/verbs.ts';
import { renderHistory, renderRequest } from '../render/history.ts';
import { count, type HelpText } from '../support/options.ts';
import { print, type Session } from '../support/session.ts';

interface Options extends TeamOption {
  readonly service?: string;
  readonly worker?: string;
  readonly limit?: number;
}

export const help: HelpText = {
  details: `
Prints one line per request, newest first. With an ID: prints all facts about one request, with the end of each worker’s
output. The whole output is on the worker: \`trigger queue cat\` there.`,
  examples: [
    'trigger history',
    'trigger history --service demoservice --limit 20',
    'trigger history 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
    "trigger history --json | jq '.[] | select(.exit_code != 0)'",
  ],
};

export const define: Define = (command, run) =>
  addTeamOption(command.argument('[id]', 'ID of a request'))
    .option('--service <service>', 'only requests to this service')
    .option('--worker <worker>', 'only requests that this worker ran')
    .option('--limit <number>', 'maximum number of lines (default: 100)', count)
    .action(run(history));

const history = async (session: Session, id: string | undefined, options: Options): Promise<void> => {
  const statement = statementOf(await findTeam(session, options), id, options);
  const { rows } = await askRegistry(session.client, statement);
  const records = rows as RequestRecord[];
  if (id === undefined) await print(session, records, (canvas) => renderHistory(records, canvas));
  else await print(session, records[0] ?? null, () => records.map(renderRequest).join('\n\n'));
};

const statementOf = (team: string, request: string | undefined, { service, worker, limit }: Options): Statement => ({
  verb: 'history.list',
  team,
  ...given({ request, service, worker, limit }),
});
