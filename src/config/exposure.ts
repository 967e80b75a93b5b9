/** Who may read or change the configuration file that should not. Pure: the caller looks at the file. */
import type { LoadedConfig } from './config.ts';
import { type Source, sourceKey } from './layers.ts';
import { dotted } from './problem.ts';
import { configShape, shapeAt } from './shape.ts';

/** A file as `stat` shows it, with names instead of numbers where there are any. */
export interface FileAccess {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly owner: string;
  readonly group: string;
}

export interface Exposure {
  readonly what: string;
  readonly remedy: string;
}

const readableByGroup = 0o040;
const readableByAll = 0o004;
/** Who is in them may use the control socket, or is root already. */
const trustedGroups: readonly string[] = ['root', 'triggerd'];
const shownKeys = 3;

/** `uid`: who we are. What follows from owner and mode of the configuration file; nothing for a file that is closed. */
export const exposuresOf = (
  { file, sources }: Pick<LoadedConfig, 'file' | 'sources'>,
  access: FileAccess | undefined,
  uid: number,
): Exposure[] => {
  if (file === null || access === undefined) return [];
  const { owner, group, mode } = access;
  const exposures: Exposure[] = [];
  if (access.uid !== 0 && access.uid !== uid)
    exposures.push({
      what: `${file} belongs to ${owner}, who can change what runs here`,
      remedy: `chown ${uid === 0 ? 'root' : '$(id -un)'} ${file}`,
    });
  const secrets = secretsIn(sources);
  if (secrets.length === 0) return exposures;
  // A group of the owner's own has nobody else in it.
  const isTrusted = trustedGroups.includes(group) || group === owner;
  const who = whoReads(mode, isTrusted ? undefined : group);
  if (who === undefined) return exposures;
  const what = `${file} holds secrets (${namesOf(secrets)}) and ${who} can read it (mode 0${mode.toString(8)})`;
  exposures.push({ what, remedy: `chmod ${group === 'triggerd' ? '640' : '600'} ${file}` });
  return exposures;
};

const whoReads = (mode: number, group: string | undefined): string | undefined => {
  if ((mode & readableByAll) !== 0) return 'every user';
  return group !== undefined && (mode & readableByGroup) !== 0 ? `the group ${group}` : undefined;
};

/** Keys of secrets that the file has, dotted. What comes from the environment is not in the file. */
const secretsIn = (sources: ReadonlyMap<string, Source>): string[] => {
  const shape = configShape();
  return [...sources].flatMap(([key, { from }]) => {
    const path = key.split(sourceKey(['', '']));
    const at = shapeAt(shape, path);
    return from === 'file' && at?.kind === 'key' && at.secret === true ? [dotted(path)] : [];
  });
};

const namesOf = (keys: readonly string[]): string => {
  const shown = keys.slice(0, shownKeys).join(', ');
  return keys.length > shownKeys ? `${shown}, …` : shown;
};
