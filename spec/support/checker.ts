/**
 * The checker: a pure function from what was recorded to what was violated. A fault test records, breaks things, and
 * expects `[]`. The invariants I1–I8 are those of docs/explanation/reliability.md.
 */

/** One publication, as its producer saw it. */
export interface Submission {
  readonly id: string;
  readonly targets: readonly string[];
  /** Seconds on the machine's clock since boot, as everywhere in a record. */
  readonly submittedAt: number;
  /** Null: the producer never got an answer; the firing may be there, whole, or not. */
  readonly ackedAt: number | null;
}

/** One run, as the job itself wrote it down. */
export interface Execution {
  readonly node: string;
  readonly job: string;
  readonly attempt: number;
  readonly firings: readonly string[];
  readonly startedAt: number;
  /** Null: it was killed, or it still runs. */
  readonly endedAt: number | null;
  /** Lines of the node's record: their order is the order in which things happened. */
  readonly startLine: number;
  readonly endLine: number | null;
}

/** What etcd says at the end. */
export interface FinalOutcome {
  readonly id: string;
  readonly node: string;
  readonly stage: string;
  readonly result: string | null;
}

export interface Refusal {
  readonly what: string;
  readonly code: string | null;
  readonly message: string;
}

/** Something that must come back to where it was: open files, processes, memory, keys. */
export interface Gauge {
  readonly what: string;
  readonly before: number;
  readonly after: number;
  readonly tolerance: number;
}

export interface FaultRecord {
  readonly submissions: readonly Submission[];
  readonly executions: readonly Execution[];
  readonly outcomes: readonly FinalOutcome[];
  /** `<node>/<id>` of everything that etcd still owes. */
  readonly owed: readonly string[];
  readonly refusals: readonly Refusal[];
  readonly gauges: readonly Gauge[];
  /** Everything that could hold a secret: logs, command lines, outcomes. */
  readonly texts: readonly string[];
}

export interface Promises {
  /** Runs that a job may have had beyond its first: one for each time that its *runner* (not the daemon) was killed. */
  readonly extraRuns?: number;
  /** Nodes whose queue has one slot; default: all. */
  readonly serial?: (node: string) => boolean;
  /** Whether firings were made so that they don't coalesce, one after the other: then their order holds. */
  readonly inOrder?: boolean;
  /** Whether every run had to be complete: false where jobs are killed on purpose. */
  readonly complete?: boolean;
  readonly secrets?: readonly string[];
}

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8';
export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

export const check = (record: FaultRecord, promises: Promises = {}): Violation[] => [
  ...nothingLost(record),
  ...nothingInvented(record),
  ...notTwice(record, promises),
  ...satisfied(record, promises),
  ...noOverlap(record, promises),
  ...inOrder(record, promises),
  ...noLeak(record),
  ...refusalsHaveCodes(record),
  ...noSecrets(record, promises),
];

/** I1: every acknowledged firing has one final outcome per target, and nothing is owed any more. */
const nothingLost = ({ submissions, outcomes, owed }: FaultRecord): Violation[] => {
  const ends = countBy(outcomes.filter(isFinal).map(({ id, node }) => `${node}/${id}`));
  const wanted = submissions.filter(({ ackedAt }) => ackedAt !== null).flatMap(keysOf);
  return [
    ...wanted
      .filter((key) => ends.get(key) !== 1)
      .map((key) => violation('I1', `${key} was acknowledged and has ${ends.get(key) ?? 0} final outcomes`)),
    ...owed.map((key) => violation('I1', `${key} is still owed`)),
    ...halfPublished(submissions, ends),
  ];
};

/** An unacknowledged firing is there for all of its targets or for none. */
const halfPublished = (submissions: readonly Submission[], ends: ReadonlyMap<string, number>): Violation[] =>
  submissions
    .filter(({ ackedAt }) => ackedAt === null)
    .flatMap((submission) => {
      const present = keysOf(submission).filter((key) => ends.has(key)).length;
      const isHalf = present !== 0 && present !== submission.targets.length;
      return isHalf ? [violation('I1', `${submission.id} ended on ${present} of ${submission.targets.length}`)] : [];
    });

/** I2: nothing ran, and nothing was reported, that nobody submitted to that node. */
const nothingInvented = ({ submissions, executions, outcomes }: FaultRecord): Violation[] => {
  const known = new Set(submissions.flatMap(keysOf));
  const ran = executions.flatMap(({ node, firings }) => firings.map((id) => `${node}/${id}`));
  const reported = outcomes.map(({ node, id }) => `${node}/${id}`);
  return [...new Set([...ran, ...reported])]
    .filter((key) => !known.has(key))
    .map((key) => violation('I2', `${key} was never submitted`));
};

/** I3: one run per id and node; and no two runs under one attempt number. */
const notTwice = ({ executions }: FaultRecord, { extraRuns = 0 }: Promises): Violation[] => {
  const runs = countBy(executions.flatMap(({ node, firings }) => firings.map((id) => `${node}/${id}`)));
  const attempts = countBy(executions.map(({ node, job, attempt }) => `${node} job ${job} attempt ${attempt}`));
  return [
    ...[...runs].filter(([, n]) => n > 1 + extraRuns).map(([key, n]) => violation('I3', `${key} ran ${n} times`)),
    ...[...attempts].filter(([, n]) => n > 1).map(([key, n]) => violation('I3', `${key} ran ${n} times`)),
  ];
};

/** I3, satisfied-by: what is reported as finished had a complete run that began after it was submitted. */
const satisfied = (record: FaultRecord, { complete = true }: Promises): Violation[] => {
  const runs = new Map<string, Execution[]>();
  for (const run of record.executions)
    for (const id of run.firings) runs.set(`${run.node}/${id}`, [...(runs.get(`${run.node}/${id}`) ?? []), run]);
  const submittedAt = new Map(record.submissions.map(({ id, submittedAt: at }) => [id, at]));
  return record.outcomes
    .filter(({ stage, result }) => stage === 'finished' && (complete || result === 'succeeded'))
    .filter(({ id, node }) => {
      const candidates = runs.get(`${node}/${id}`) ?? [];
      return !candidates.some((run) => run.endLine !== null && run.startedAt >= (submittedAt.get(id) ?? 0));
    })
    .map(({ id, node }) => violation('I3', `${node}/${id} is reported as finished without a complete run after it`));
};

/** I4: on a serial node a run ends before the next one starts. */
const noOverlap = ({ executions }: FaultRecord, { serial = () => true }: Promises): Violation[] =>
  [...groupBy(executions, ({ node }) => node)]
    .filter(([node]) => serial(node))
    .flatMap(([node, runs]) => {
      const inOrderOfStart = runs.toSorted((a, b) => a.startLine - b.startLine);
      return inOrderOfStart.slice(1).flatMap((run, index) => {
        const before = inOrderOfStart[index];
        const isOverlap = before !== undefined && before.endLine !== null && before.endLine > run.startLine;
        return isOverlap ? [violation('I4', `${node}: job ${run.job} began while job ${before.job} ran`)] : [];
      });
    });

/** I5: what was submitted after another one's acknowledgement starts after it. */
const inOrder = (record: FaultRecord, promises: Promises): Violation[] => {
  if (promises.inOrder !== true) return [];
  const acked = record.submissions.filter(({ ackedAt }) => ackedAt !== null);
  return [...groupBy(record.executions, ({ node }) => node)].flatMap(([node, runs]) => {
    const startOf = new Map<string, number>();
    for (const { firings, startLine } of runs.toSorted((a, b) => b.startLine - a.startLine))
      for (const id of firings) startOf.set(id, startLine);
    const here = acked.filter(({ id }) => startOf.has(id));
    return here.slice(1).flatMap((later, index) => {
      const earlier = here[index];
      if (earlier === undefined || later.submittedAt < (earlier.ackedAt ?? 0)) return [];
      const isWrong = (startOf.get(later.id) ?? 0) < (startOf.get(earlier.id) ?? 0);
      return isWrong ? [violation('I5', `${node}: ${later.id} started before ${earlier.id}`)] : [];
    });
  });
};

/** I6: what was used is given back. */
const noLeak = ({ gauges }: FaultRecord): Violation[] =>
  gauges
    .filter(({ before, after, tolerance }) => after > before + tolerance)
    .map(({ what, before, after }) => violation('I6', `${what}: ${before} before, ${after} after`));

/** I7: a refusal has a code and words. */
const refusalsHaveCodes = ({ refusals }: FaultRecord): Violation[] =>
  refusals
    .filter(({ code, message }) => code === null || code === '' || code === 'internal' || message.trim() === '')
    .map(({ what, code, message }) => violation('I7', `${what} was refused with code ${code}: ${message}`));

/** I8: no secret is to be seen. */
const noSecrets = ({ texts }: FaultRecord, { secrets = [] }: Promises): Violation[] =>
  secrets.flatMap((secret, index) =>
    texts
      .filter((text) => text.includes(secret))
      .map((text) => violation('I8', `secret ${index} in ${around(text, secret)}`)),
  );

const around = (text: string, secret: string): string => {
  const at = text.indexOf(secret);
  return `${text.slice(Math.max(0, at - 40), at)}…${text.slice(at + secret.length, at + secret.length + 20)}`;
};

const violation = (invariant: Invariant, what: string): Violation => ({ invariant, what });
const keysOf = ({ id, targets }: Submission): string[] => targets.map((node) => `${node}/${id}`);
const isFinal = ({ stage }: FinalOutcome): boolean => stage === 'finished' || stage === 'skipped';

const countBy = (keys: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
};
