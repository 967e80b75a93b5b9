import { locateConfig } from '../../config/locate.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';
import { readConfigFile, unlessUnreadable } from '../support/read-config-file.ts';
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
  const named = team ?? (session.env['TRIGGERD_MAIN_TEAM'] || (await configuredTeam(session)));
  if (named !== undefined) return named;
  const { rows } = await askRegistry(session.client, { verb: 'team.list' });
  const names = rows.map((row) => String((row as { readonly name?: unknown }).name));
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const which = only === undefined ? 'there is no team yet' : `there are ${names.map(visible).join(', ')}`;
  throw new TriggerdError('team-missing', `no team is named, and ${which}`);
};

/** Reads only that key: a slip elsewhere in the file is the daemon's business. */
const configuredTeam = async ({
  configFile,
  env,
}: Pick<Session, 'configFile' | 'env'>): Promise<string | undefined> => {
  const places = locateConfig(configFile, env);
  const file = unlessUnreadable(() => readConfigFile(places), places[0].named);
  if (file === null || !file.text.includes('team')) return undefined;
  const { parseToml } = await import('../../config/toml.ts');
  const main = parseToml(file.text, file.path)['main'] as { readonly team?: unknown } | undefined;
  return typeof main?.team === 'string' ? main.team : undefined;
};
