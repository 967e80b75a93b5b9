/** `trigger status`: the recent firings, and all about one. */
import type { FiringView, OutcomeView } from '../../api/contract/firings.ts';
import type { Color } from './color.ts';
import { renderFacts } from './facts.ts';
import { causesOf, originInWords, shortOrigin } from './origin.ts';
import { colorOf, exitOf, noteOf, summarize } from './outcome.ts';
import { renderTable } from './table.ts';
import { age, localTimeAndAge, took } from './time.ts';

export interface Canvas {
  readonly columns: number | null;
  readonly now: number;
  readonly paint: (color: Color | null, text: string) => string;
}

export const renderFirings = (firings: readonly FiringView[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'FIRING', cell: ({ id }) => id },
      { title: 'AGE', cell: ({ created_at }) => age(created_at, now) },
      { title: 'TRIGGER', cell: ({ trigger, noop }) => (noop ? `${trigger} (noop)` : trigger), shrinkTo: 8 },
      { title: 'ORIGIN', cell: ({ origin }) => shortOrigin(origin), shrinkTo: 8 },
      {
        title: 'OUTCOMES',
        cell: (firing) => summarize(outcomesOf(firing)),
        shrinkTo: 12,
        paint: (firing) => worstColor(outcomesOf(firing)),
      },
    ],
    firings,
    columns,
    paint,
  );

export const renderFiring = (firing: FiringView, canvas: Canvas): string =>
  `${renderHeader(firing, canvas.now)}\n\n${renderOutcomes(outcomesOf(firing), canvas)}`;

const renderHeader = (firing: FiringView, now: number): string => {
  const causes = causesOf(firing.origin);
  return renderFacts([
    ['Firing', firing.id],
    ['Trigger', firing.trigger],
    ['Origin', originInWords(firing.origin)],
    ...causes.map((cause, at) => [at === 0 ? 'Because' : '', cause] as const),
    ['Runs', jobInWords(firing.job)],
    ['Noop', firing.noop ? 'yes' : null],
    ['Created', localTimeAndAge(firing.created_at, now)],
    ['Expires', firing.expires_at === null ? null : expiryInWords(firing.expires_at, now)],
  ]);
};

const expiryInWords = (iso: string, now: number): string =>
  Date.parse(iso) <= now ? localTimeAndAge(iso, now) : `in ${took(Date.parse(iso) - now)}`;

const jobInWords = ({ plugin, args }: FiringView['job']): string => {
  const given = Object.entries(args).map(([name, value]) => ` ${name}=${value}`);
  return plugin === null ? 'what each target has as [watch] run_cmd' : `plugin ${plugin}${given.join('')}`;
};

const renderOutcomes = (outcomes: readonly OutcomeView[], { columns, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'NODE', cell: ({ node }) => node, shrinkTo: 12 },
      { title: 'STAGE', cell: ({ stage }) => stage, paint: colorOf },
      { title: 'RESULT', cell: ({ result }) => result ?? '', paint: colorOf },
      { title: 'EXIT', cell: (outcome) => exitOf(outcome).replace(/^exit /, '') },
      { title: 'TOOK', cell: ({ duration_ms }) => (duration_ms === null ? '' : took(duration_ms)) },
      { title: 'JOB', cell: ({ job_id }) => (job_id === null ? '' : String(job_id)) },
      { title: 'NOTE', cell: noteOf, shrinkTo: 12 },
    ],
    outcomes,
    columns,
    paint,
  );

/** In the order of the targets. */
const outcomesOf = (firing: FiringView): OutcomeView[] =>
  firing.targets.flatMap((target) => firing.outcomes[target] ?? []);

const worstColor = (outcomes: readonly OutcomeView[]): Color | null => {
  const colors = outcomes.map(colorOf);
  return (
    (['red', 'yellow', null] as const).find((color) => colors.includes(color)) ?? (colors.length > 0 ? 'green' : null)
  );
};
