import { rowsNamed, rowsOf } from '../../console/tables.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import type { Statement } from '../../registry/statements.ts';
import { type Kind, renderRow, renderRows } from '../render/registry.ts';
import { print } from '../support/print.ts';
import type { Session } from '../support/session.ts';
import { askRegistry } from './ask-registry.ts';

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
