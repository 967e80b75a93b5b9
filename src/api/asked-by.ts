import { printable } from '../domain/names.ts';

/** Who asked for something that others will read about: `user@node`. */
export const askedBy = (user: string | undefined, node: string): string => `${printable(user ?? 'somebody')}@${node}`;
