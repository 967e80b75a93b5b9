import { execa } from 'execa';

/** Number of a user, as `sudo -u` takes it: a name, a number, `#` and a number. Undefined: there is none. Asks `id`: names may come from LDAP. */
export const uidOf = async (user: string, env: Readonly<Record<string, string>>): Promise<number | undefined> => {
  if (/^#?\d+$/.test(user)) return Number(user.replace('#', ''));
  const asked = await execa('id', ['-u', '--', user], { env, extendEnv: false, reject: false, timeout: 10_000 });
  return !asked.failed && /^\d+$/.test(asked.stdout) ? Number(asked.stdout) : undefined;
};
