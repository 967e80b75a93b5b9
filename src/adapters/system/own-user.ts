import { userInfo } from 'node:os';

/** Who we are. A container may run us as a user that its passwd does not know: then the number is the name. */
export const ownUser = (): { readonly username: string; readonly homedir: string } => {
  try {
    return userInfo();
  } catch {
    return { username: String(process.getuid?.()), homedir: '/' };
  }
};
