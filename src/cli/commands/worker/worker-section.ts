import { stringify } from 'smol-toml';

/** A new worker as its configuration has it, to be pasted. */
export const workerSection = (team: string, row: unknown): string => {
  const { identity, token } = row as { readonly identity: string; readonly token: string };
  return stringify({ workers: { [team]: { [identity]: { token } } } });
};
