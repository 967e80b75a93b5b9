import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';
import { readConfigText } from '../support/read-config-file.ts';
import type { Session } from '../support/session.ts';
import { askRegistry } from './ask-registry.ts';

export interface TeamOption {
  readonly team?: string;
}

/**
 * The team that is meant: `--team`, `$TRIGGERD_MAIN_TEAM`, `[main] team`, else the only one there is. Throws
 * `team-missing`.
 */
export const findTeam = async (
  session: Pick<Session, 'client' | 'configFile' | 'env'>,
  { team }: TeamOption,
): Promise<string> => {
  const named =
    team ??
    (session.env['TRIGGERD_MAIN_TEAM'] || (await readConfigText(session.configFile, session.env, ['main', 'team'])));
  if (named !== undefined) return named;
  const { rows } = await askRegistry(session.client, { verb: 'team.list' });
  const names = rows.map((row) => String((row as { readonly name?: unknown }).name));
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const which = only === undefined ? 'there is no team yet' : `there are ${names.map(visible).join(', ')}`;
  throw new TriggerdError('team-missing', `no team is named, and ${which}`);
};
