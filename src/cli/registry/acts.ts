/** What the verbs of the registry’s nouns do. */
import { rowsNamed, rowsOf } from '../../console/tables.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import { visible } from '../../kit/text.ts';
import type { Answer, Statement } from '../../registry/statements.ts';
import { type Kind, renderRow, renderRows } from '../render/registry.ts';
import { print, type Session } from '../support/session.ts';
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

export type ListStatement = Extract<Statement, { verb: `${Kind}.list` }>;

/** Prints what a list answers: all of it, or what has this name. Throws `registry-not-found` when nothing has it. */
export const show = async (session: Session, statement: ListStatement, name: string | undefined): Promise<void> => {
  const kind = statement.verb.replace('.list', '') as Kind;
  const answer = await askRegistry(session.client, statement);
  const rows = rowsNamed(kind, rowsOf(answer), name ?? null);
  if (name === undefined) await print(session, rows, ({ columns }) => renderRows(kind, rows, columns));
  else if (rows.length === 0) throw new TriggerdError('registry-not-found', `there is no ${kind} “${printable(name)}”`);
  else await print(session, rows.length === 1 ? rows[0] : rows, () => rows.map((row) => renderRow(row)).join('\n\n'));
};
