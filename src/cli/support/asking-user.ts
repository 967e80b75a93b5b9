import { ownUser } from '../../adapters/system/own-user.ts';
import type { Session } from './session.ts';

/** The person behind sudo, where there is one. */
export const askingUser = (env: Session['env']): string => {
  const user = ownUser().username;
  return user === 'root' ? env['SUDO_USER'] || user : user;
};
