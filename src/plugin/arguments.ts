import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
import { fitsPattern } from './fits-pattern.ts';
import type { Plugin } from './manifest.ts';

type Args = Readonly<Record<string, string>>;

/** Checks named arguments against the manifest and fills in defaults. Throws `plugin-arguments` with every problem. */
export const resolveArguments = (plugin: Plugin, given: Args): Args => {
  const rules = plugin.manifest.args;
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(rules, name));
  const problems = unknown.map((name) => `it takes no argument “${printable(name)}”`);
  const resolved: Record<string, string> = {};
  for (const [name, rule] of Object.entries(rules)) {
    const value = Object.hasOwn(given, name) ? given[name] : rule.default;
    if (value !== undefined && value !== null) resolved[name] = value;
    if (value === null && rule.required) problems.push(`it needs the argument “${name}”`);
    if (typeof value === 'string' && rule.pattern !== null) problems.push(...misfit(name, rule.pattern, value));
    if (value?.includes('\0')) problems.push(`“${name}” holds a NUL character`);
  }
  if (problems.length > 0) throw new TriggerdError('plugin-arguments', `plugin ${plugin.name}: ${problems.join('; ')}`);
  return resolved;
};

const misfit = (name: string, pattern: string, value: string): string[] => {
  const fits = fitsPattern(pattern, value);
  if (fits === undefined) return [`“${name}” could not be compared with ${pattern} in time`];
  return fits ? [] : [`“${name}” must match ${pattern}`];
};
