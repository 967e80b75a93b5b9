import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/schema.ts';
import { configuredWorkers } from '../../config/workers.ts';

/** Sections that a running daemon can take up; the others are what it was built from. */
const reloadable: ReadonlySet<keyof Config> = new Set(['watch', 'plugins', 'jobs', 'log', 'workers']);

/** Names of the changed sections, apart: what SIGHUP applies, and what waits for a restart. */
export const changedSections = (
  before: Config,
  after: Config,
): { readonly now: (keyof Config)[]; readonly atRestart: (keyof Config)[] } => {
  const names = Object.keys({ ...before, ...after }) as (keyof Config)[];
  const changed = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  return {
    now: changed.filter((name) => reloadable.has(name)),
    atRestart: changed.filter((name) => !reloadable.has(name) || (name === 'workers' && haveOthers(before, after))),
  };
};

/** Which plugins workers run changes at once, which workers there are does not. */
const haveOthers = (before: Config, after: Config): boolean =>
  !isDeepStrictEqual(configuredWorkers(before), configuredWorkers(after));
