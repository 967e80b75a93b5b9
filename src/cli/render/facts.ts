import { visible } from '../../kit/text.ts';
import { padEnd, widthOf } from '../../kit/width.ts';

/** `Name: value` lines, values aligned; a fact without a value is left out, one without a name continues with the last. */
export const renderFacts = (facts: readonly (readonly [string, string | null])[]): string => {
  const given = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const width = Math.max(0, ...given.map(([name]) => widthOf(name))) + 2;
  return given
    .map(([name, value]) => `${padEnd(name === '' ? '' : `${name}:`, width)}${visible(value)}`.trimEnd())
    .join('\n');
};
