import { readFileSync } from 'node:fs';
import type { Account, Owners } from '../../mount/attributes.ts';

const rereadMs = 60_000;

/** Accounts of this machine's `/etc/passwd`, looked up anew every minute; without it nobody has one. */
export const localOwners = (own: Account, file = '/etc/passwd'): Owners => {
  let accounts = readAccounts(file);
  let readAt = performance.now();
  return {
    own,
    accountOf: (identity) => {
      if (performance.now() - readAt > rereadMs) {
        accounts = readAccounts(file);
        readAt = performance.now();
      }
      return accounts.get(identity);
    },
  };
};

const readAccounts = (file: string): ReadonlyMap<string, Account> => {
  const entries = textOf(file)
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }] as const)
    .filter(([, { uid, gid }]) => Number.isInteger(uid) && Number.isInteger(gid));
  return new Map(entries);
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
