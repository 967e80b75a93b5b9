/** `trigger doctor`: a line per finding, and below it what to do. */
import type { Finding } from '../../doctor/finding.ts';
import { visible } from '../../kit/text.ts';
import { padEnd, wrap } from '../../kit/width.ts';
import type { Color } from './color.ts';

const colors: Readonly<Record<Finding['state'], Color | null>> = {
  fine: 'green',
  unused: 'dim',
  warning: 'yellow',
  wrong: 'red',
};
const marks: Readonly<Record<Finding['state'], string>> = {
  fine: 'ok',
  unused: '-',
  warning: 'warning',
  wrong: 'WRONG',
};
const markWidth = 9;
const areaWidth = 15;
const indent = ' '.repeat(markWidth + areaWidth);

export const renderFindings = (
  findings: readonly Finding[],
  columns: number | null,
  paint: (color: Color | null, text: string) => string,
): string => {
  const width = columns === null ? Number.POSITIVE_INFINITY : Math.max(20, columns - indent.length);
  const lines = findings.flatMap((finding) => {
    const { area, state, what } = finding;
    const [first = '', ...rest] = wrap(visible(what), width);
    const remedy = 'remedy' in finding ? wrap(`→ ${visible(finding.remedy)}`, width) : [];
    const head = `${paint(colors[state], padEnd(marks[state], markWidth))}${padEnd(area, areaWidth)}${first}`;
    return [head, ...[...rest, ...remedy].map((line) => indent + line)];
  });
  return [...lines, '', paint(worstColor(findings), conclusion(findings))].join('\n');
};

const count = (findings: readonly Finding[], state: Finding['state']): number =>
  findings.filter((finding) => finding.state === state).length;

const conclusion = (findings: readonly Finding[]): string => {
  const bad = count(findings, 'wrong');
  const warnings = count(findings, 'warning');
  if (bad === 0 && warnings === 0) return 'All is well.';
  const words = `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  return bad === 0 ? `Nothing is wrong; ${words}.` : `${bad} wrong, ${words}.`;
};

const worstColor = (findings: readonly Finding[]): Color =>
  count(findings, 'wrong') > 0 ? 'red' : count(findings, 'warning') > 0 ? 'yellow' : 'green';
