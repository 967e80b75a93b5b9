import type { RunProgram } from '../../plugin/ports.ts';
import { whyUntrusted } from '../files/trusted-program.ts';
import { uidOf } from './users.ts';

/**
 * Why one of these must not be run by us: as root (or as the daemon's user) a program would run that others can change. Programs
 * that run as another user are that user's affair. Null: nothing is wrong.
 */
export const whyProgramsUntrusted = async (
  programs: readonly RunProgram[],
  env: Readonly<Record<string, string>>,
): Promise<string | null> => {
  for (const { program, user, searchPath } of programs) {
    if (!(await isOurs(user, env))) continue;
    const why = await whyUntrusted({ program, searchPath: searchPath ?? env['PATH'] ?? '' });
    if (why !== null) return why;
  }
  return null;
};

const isOurs = async (user: string | null, env: Readonly<Record<string, string>>): Promise<boolean> => {
  if (user === null) return true;
  const uid = await uidOf(user, env);
  return uid === 0 || uid === process.getuid?.();
};
