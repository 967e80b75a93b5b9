import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';
import type { Answer, Statement } from '../../registry/statements.ts';
import { print } from '../support/print.ts';
import type { Session } from '../support/session.ts';
import { askRegistry } from './ask-registry.ts';

/**
 * Changes the registry; prints `rendered` of what has changed, nothing as a rule, and with `--json` the record. Where
 * nothing is rendered, what people should know goes to stderr. Throws `usage` for a `set` without settings, `registry-…`.
 */
export const change = async (
  session: Session,
  statement: Statement,
  rendered?: (row: unknown) => string,
): Promise<void> => {
  if (changesNothing(statement)) throw new TriggerdError('usage', 'there is nothing to change: add an option');
  const { rows, notices }: Answer = await askRegistry(session.client, statement);
  await print(session, rows[0] ?? null, () => rendered?.(rows[0]) ?? '');
  if (!session.json && rendered === undefined)
    for (const notice of notices) session.terminal.err(`${visible(notice)}\n`);
};

/** A `set` that names a thing, and no more than that. */
const changesNothing = (statement: Statement): boolean =>
  statement.verb.endsWith('.set') && Object.keys(statement).length === ('team' in statement ? 3 : 2);
