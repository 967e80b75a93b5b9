/** A line of the console → what it asks for. */
import type { RequestStatement } from '../domain/live-request.ts';
import type { Statement } from '../registry/statements.ts';
import type { Ask, Command } from './form.ts';
import { commandOf } from './match.ts';
import { wordsOf } from './words.ts';

/** Null: nothing is asked, the line is empty or a comment. Throws `statement-invalid`. */
export const parseStatement = (line: string): Command | null => {
  const words = wordsOf(line);
  return words.length === 0 ? null : commandOf(words);
};

/** What goes to the registry: a statement about a team by its name has it already, any other is about `team()`. */
export const inTeam = async (ask: Ask, team: () => Promise<string>): Promise<Statement | RequestStatement> =>
  (ask.verb.startsWith('team.') ? ask : { ...ask, team: await team() }) as Statement | RequestStatement;
