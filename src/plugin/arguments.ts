import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
import { type ArgumentRule, argumentVariable, valueProblems } from './argument-rule.ts';
import type { Plugin } from './manifest.ts';

type Args = Readonly<Record<string, string>>;

/** Checks named arguments against the manifest and fills in defaults. Throws `plugin-arguments` with every problem. */
export const resolveArguments = (plugin: Plugin, given: Args): Args => {
  const rules = plugin.manifest.args;
  const unknown = Object.entries(given).filter(([name]) => !Object.hasOwn(rules, name));
  const problems = plugin.manifest.any_args
    ? freeProblems(Object.keys(rules), unknown)
    : unknown.map(([name]) => `it takes no argument “${printable(name)}”`);
  const resolved: Record<string, string> = plugin.manifest.any_args ? Object.fromEntries(unknown) : {};
  for (const [name, rule] of Object.entries(rules)) {
    const wanted = Object.hasOwn(given, name) ? given[name] : undefined;
    const value = rule.fixed ?? wanted ?? rule.default;
    if (value !== null) resolved[name] = value;
    problems.push(...refusals(name, rule, wanted));
  }
  if (problems.length > 0) throw new TriggerdError('plugin-arguments', `plugin ${plugin.name}: ${problems.join('; ')}`);
  return resolved;
};

/**
 * What is wrong with arguments that the manifest does not know: every name must make an environment variable, and one
 * that no other argument has, as otherwise `Root` would say something else than a rule for `root` allows.
 */
const freeProblems = (known: readonly string[], given: readonly [string, string][]): string[] => {
  const taken = new Set(known.map(argumentVariable));
  return given.flatMap(([name, value]) => {
    const variable = argumentVariable(name);
    const isTaken = taken.has(variable);
    taken.add(variable);
    const shown = `“${printable(name)}”`;
    return [
      ...(freeName.test(name) ? [] : [`${shown} is not an argument name: expected letters, digits, “_” and “-”`]),
      ...(isTaken ? [`${shown} and another argument would be the same variable ${printable(variable)}`] : []),
      ...(value.includes('\0') ? [`${shown} holds a NUL character`] : []),
    ];
  });
};

const freeName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** A default was checked with the manifest. */
const refusals = (name: string, rule: ArgumentRule, wanted: string | undefined): string[] => {
  if (wanted === undefined) return rule.required ? [`it needs the argument “${name}”`] : [];
  if (rule.fixed !== null && wanted !== rule.fixed) return [`“${name}” is fixed by this node’s plugin.toml`];
  return valueProblems(rule, wanted).map((problem) => `“${name}” ${problem}`);
};
