import { ownUser } from './own-user.ts';

/** Where Debian, its local additions and Puppet's own packages put programs. */
export const basePath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin';

/**
 * The environment that every job starts with. Nothing is inherited from the daemon: its variables hold systemd's
 * socket and may hold secrets. `LANG` is fixed, so that messages are the ones that logs and tests know.
 */
export const baseEnvironment = (): Readonly<Record<string, string>> => {
  const { username, homedir } = ownUser();
  return { PATH: basePath, HOME: homedir, USER: username, LOGNAME: username, LANG: 'C.UTF-8' };
};
