import type { Statement } from '../statements.ts';
import { definitionRules } from './definition.ts';
import { directoryRules } from './directory.ts';
import { historyRules } from './history.ts';
import type { Change, Rule, RuleContext, Rules } from './rule-context.ts';
import { serviceRules } from './service.ts';
import { teamRules } from './team.ts';
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
export const decide = (context: RuleContext, statement: Statement): Change =>
  (rules[statement.verb] as Rule<Statement>)(context, statement);
