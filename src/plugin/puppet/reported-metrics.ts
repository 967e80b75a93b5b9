/** The counts of a Puppet report: its `metrics`, which the summary repeats. */
import { fieldsOf, type PsychMapping, type PsychValue, readPsych } from './psych.ts';

/** Null: the report does not say. */
export interface ReportedCounts {
  readonly changed: number | null;
  readonly failed: number | null;
  readonly failed_to_restart: number | null;
  /** Resources left out: by tags, a schedule, a failed dependency. */
  readonly skipped: number | null;
  readonly total: number | null;
  readonly duration_s: number | null;
}

/** The metric of times names every type of resource of the catalogue; what is longer is not looked at. */
const maxBlock = 262_144;

/** Takes the lines of a report in order. */
export const createMetricCollector = () => {
  let isInMetrics = false;
  const block: string[] = [];
  let length = 0;

  return {
    add: (line: string): void => {
      if (/^\S/.test(line)) isInMetrics = line === 'metrics:';
      if (!isInMetrics) return;
      length += line.length + 1;
      if (length <= maxBlock) block.push(line);
    },
    end: (): ReportedCounts => countsIn(fieldsOf(fieldsOf(readPsych(block))['metrics'])),
  };
};

const countsIn = (metrics: PsychMapping): ReportedCounts => {
  const resources = valuesOf(metrics['resources']);
  const of = (name: string): number | null => resources.get(name) ?? null;
  return {
    changed: of('changed'),
    failed: of('failed'),
    failed_to_restart: of('failed_to_restart'),
    skipped: of('skipped'),
    total: of('total'),
    duration_s: valuesOf(metrics['time']).get('total') ?? null,
  };
};

/** `values` of a metric is a list of name, label and number. */
const valuesOf = (metric: PsychValue | undefined): ReadonlyMap<string, number> => {
  const { values } = fieldsOf(metric);
  const known = new Map<string, number>();
  for (const value of Array.isArray(values) ? values : []) {
    const [name, , number] = Array.isArray(value) ? (value as readonly PsychValue[]) : [];
    if (typeof name === 'string' && typeof number === 'number' && Number.isFinite(number)) known.set(name, number);
  }
  return known;
};
