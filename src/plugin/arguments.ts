import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
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
    if (typeof value === 'string' && !fits(rule.pattern, value)) problems.push(`“${name}” must match ${rule.pattern}`);
    if (value?.includes('\0')) problems.push(`“${name}” holds a NUL character`);
  }
  if (problems.length > 0) throw new TriggerdError('plugin-arguments', `plugin ${plugin.name}: ${problems.join('; ')}`);
  return resolved;
};

const fits = (pattern: string | null, value: string): boolean =>
  pattern === null || new RegExp(`^(?:${pattern})$`, 'u').test(value);
