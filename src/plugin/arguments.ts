import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
import { type ArgumentRule, misfits } from './argument-rule.ts';
import type { Plugin } from './manifest.ts';

type Args = Readonly<Record<string, string>>;

/** Checks named arguments against the manifest and fills in defaults. Throws `plugin-arguments` with every problem. */
export const resolveArguments = (plugin: Plugin, given: Args): Args => {
  const rules = plugin.manifest.args;
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(rules, name));
  const problems = unknown.map((name) => `it takes no argument “${printable(name)}”`);
  const resolved: Record<string, string> = {};
  for (const [name, rule] of Object.entries(rules)) {
    const wanted = Object.hasOwn(given, name) ? given[name] : undefined;
    const value = rule.fixed ?? wanted ?? rule.default;
    if (value !== null) resolved[name] = value;
    problems.push(...refusals(name, rule, wanted));
  }
  if (problems.length > 0) throw new TriggerdError('plugin-arguments', `plugin ${plugin.name}: ${problems.join('; ')}`);
  return resolved;
};

/** A default was checked with the manifest. */
const refusals = (name: string, rule: ArgumentRule, wanted: string | undefined): string[] => {
  if (wanted === undefined) return rule.required ? [`it needs the argument “${name}”`] : [];
  if (rule.fixed !== null && wanted !== rule.fixed) return [`“${name}” is fixed by this node’s plugin.toml`];
  return misfits(rule, wanted).map((problem) => `“${name}” ${problem}`);
};
