import type { Statement } from '../statements.ts';
import { definitionRules } from './definition.ts';
import { directoryRules } from './directory.ts';
import { historyRules } from './history.ts';
import { serviceRules } from './service.ts';
import { teamRules } from './team.ts';
import type { Change, Rule, Rules, Turn } from './turn.ts';
import { userRules } from './user.ts';
import { workerRules } from './worker.ts';

const rules: Rules<string> = {
  ...teamRules,
  ...userRules,
  ...workerRules,
  ...serviceRules,
  ...definitionRules,
  ...directoryRules,
  ...historyRules,
};

/** What this statement changes and answers. Pure. Throws `registry-*`. */
export const decide = (turn: Turn, statement: Statement): Change =>
  (rules[statement.verb] as Rule<Statement>)(turn, statement);
