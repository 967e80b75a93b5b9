/** `trigger why`: the answer in a sentence, the way there, and what is still owed. */
import type { WhyFiringView, WhyRunView, WhyView } from '../../api/contract/why.ts';
import { visible } from '../../kit/text.ts';
import { wrap } from '../../kit/width.ts';
import type { Color } from './color.ts';
import type { Canvas } from './firing.ts';
import { shortOrigin } from './origin.ts';
import { colorOf } from './outcome.ts';
import { age, localTimeAndAge } from './time.ts';
import { type Ways, waysThrough } from './why-graph.ts';
import {
  beginningOf,
  causesOf,
  changedOf,
  failedOf,
  originOf,
  originReportOf,
  type Resources,
  reportOf,
  runInWords,
  tallyInWords,
} from './why-words.ts';

export const renderWhy = (view: WhyView, canvas: Canvas): string =>
  [
    fitted(answerOf(view, canvas.now), canvas),
    view.firings.length === 0 ? '' : renderTree(view, canvas),
    owedOf(view, canvas),
    view.notes.map((note) => canvas.paint('dim', fitted(`(${note})`, canvas))).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');

const fitted = (text: string, { columns }: Canvas): string =>
  columns === null ? visible(text) : wrap(visible(text), columns).join('\n');

const answerOf = (view: WhyView, now: number): string => {
  const run = view.runs.find(({ id }) => id === view.focus);
  if (run !== undefined) return `${didWhat(run)} because ${reasonOf(view, run.id)}.`;
  if (view.kind === 'firing') return `It was fired because ${reasonOf(view, view.name)}.`;
  if (view.kind === 'node') return `None of the recent firings has made ${view.name} run anything.`;
  return handmade(view, now);
};

const didWhat = ({ node, job_id, stage, started_at, reason }: WhyRunView): string => {
  const job = job_id === null ? 'It' : `Job ${job_id}`;
  if (stage === 'skipped') return `${job} did not run on ${node} (${reason ?? 'skipped'}); it was asked for`;
  if (started_at !== null) return `${job} ${stage === 'running' ? 'runs' : 'ran'} on ${node}`;
  return stage === 'finished' ? `${job} could not start on ${node}; it was asked for` : `${job} is ${stage} on ${node}`;
};

const reasonOf = (view: WhyView, focus: string): string => {
  const ways = waysThrough(view);
  const [first, ...others] = ways.beginningsOf(focus).map(beginningOf);
  if (first === undefined) return 'of something that is not known';
  const hops = ways.hopsBefore(focus);
  const more =
    others.length === 0 ? '' : `, and for ${others.length} more ${others.length === 1 ? 'reason' : 'reasons'}`;
  return `${first}${hops > 1 ? `, ${hops} hops back` : ''}${more}`;
};

/** A job that no firing is known of. */
const handmade = ({ job }: WhyView, now: number): string => {
  if (job === null) return 'Nothing is known.';
  const when = localTimeAndAge(job.enqueued_at, now);
  const what = `Job ${job.id} (${job.command}), now ${job.result ?? job.state},`;
  if (job.source === 'firing')
    return `${what} was added ${when}. No firing of it is known: it is a retry, or they are forgotten.`;
  const who = job.user === null ? '' : ` by ${job.user}`;
  return job.source === 'cli'
    ? `${what} was added by hand${who}, ${when}.`
    : `${what} came from a ${job.source}, ${when}.`;
};

const owedOf = ({ owed, name }: WhyView, canvas: Canvas): string => {
  if (owed === null) return '';
  if (owed.total === 0) return `Nothing is owed to ${visible(name)}.`;
  const lines = owed.firings.map(({ trigger, firing, stage, reason, origin }) => {
    const facts = [
      trigger === null ? 'being published' : `“${trigger}”`,
      firing,
      reason === null ? stage : `${stage}: ${reason}`,
      ...(origin === null ? [] : [`from ${shortOrigin(origin)}`]),
    ];
    return fitted(`  ${facts.join(', ')}`, canvas);
  });
  const rest = owed.total - owed.firings.length;
  return [`Owed to ${visible(name)}: ${owed.total}`, ...lines, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join(
    '\n',
  );
};

/** Nodes of one firing, and changed resources of one run, that have lines of their own. */
const shownNodes = 20;
const shownChanges = 5;

interface Line {
  readonly depth: number;
  readonly text: string;
  readonly color?: Color | null;
  /** Never broken: somebody may want to click on it. */
  readonly whole?: boolean;
}

/** The causal graph: each firing below what caused it, each run below its firing. */
const renderTree = (view: WhyView, canvas: Canvas): string => {
  const tree: Tree = { view, ways: waysThrough(view), now: canvas.now, open: openFirings(view) };
  return tree.ways.beginnings
    .map((firing) => [...beginning(tree, firing)].map((line) => paintLine(line, canvas)).join('\n'))
    .join('\n\n');
};

interface Tree {
  readonly view: WhyView;
  readonly ways: Ways;
  readonly now: number;
  /** How many firings of each run are still to come: the last one tells of the run. */
  readonly open: Map<string, number>;
}

const openFirings = ({ runs, firings }: WhyView): Map<string, number> => {
  const known = new Set(firings.map(({ id }) => id));
  return new Map(runs.map((run) => [run.id, run.firings.filter((id) => known.has(id)).length]));
};

function* beginning(tree: Tree, firing: WhyFiringView): Generator<Line> {
  const when = firing.created_at === null ? '' : `, ${localTimeAndAge(firing.created_at, tree.now)}`;
  yield { depth: 0, text: `${originOf(firing)}${when}` };
  yield* resourceLines(1, 'changed', causesOf(firing), shownChanges);
  yield* reportLines(1, originReportOf(firing));
  yield* firingLines(tree, firing, 1);
}

function* firingLines(tree: Tree, firing: WhyFiringView, depth: number): Generator<Line> {
  yield { depth, text: `→ ${firingInWords(firing, tree)}${markOf(tree, firing.id)}` };
  if (firing.caused_by !== null) {
    const { named } = causesOf(firing);
    if (named.length > 0) yield { depth: depth + 1, text: `because of ${named.map(({ name }) => name).join(', ')}` };
  }
  const runs = tree.ways.runsOf(firing).toSorted((a, b) => Number(isFine(a)) - Number(isFine(b)));
  const shown = runs.filter((run, at) => at < shownNodes || hasMoreToTell(tree, run));
  for (const run of runs)
    if (shown.includes(run)) yield* runLines(tree, run, depth + 1);
    else comesTo(tree, run);
  const rest = restInWords(firing, shown);
  if (rest !== null) yield { depth: depth + 1, text: rest, color: 'dim' };
}

const isFine = ({ result }: WhyRunView): boolean => result === 'succeeded';

/** How many firings of the run are still to come after this one. */
const comesTo = ({ open }: Tree, { id }: WhyRunView): number => {
  const left = (open.get(id) ?? 1) - 1;
  open.set(id, left);
  return left;
};

const hasMoreToTell = (tree: Tree, run: WhyRunView): boolean =>
  run.id === tree.view.focus || tree.ways.firedBy(run).length > 0;

function* runLines(tree: Tree, run: WhyRunView, depth: number): Generator<Line> {
  if (comesTo(tree, run) > 0) {
    yield {
      depth,
      text: `${run.node}: job ${run.job_id ?? '?'}, together with other firings: see below`,
      color: 'dim',
    };
    return;
  }
  yield { depth, text: `${run.node}: ${runInWords(run, tree.now)}${markOf(tree, run.id)}`, color: colorOfRun(run) };
  if (run.firings_total > 1) yield { depth: depth + 1, text: `one run for ${run.firings_total} firings`, color: 'dim' };
  yield* resourceLines(depth + 1, 'failed', failedOf(run), shownNodes);
  yield* resourceLines(depth + 1, 'changed', changedOf(run), shownChanges);
  yield* reportLines(depth + 1, reportOf(run));
  for (const firing of tree.ways.firedBy(run)) yield* firingLines(tree, firing, depth + 1);
}

function* resourceLines(depth: number, did: string, { named, total }: Resources, atMost: number): Generator<Line> {
  const shown = named.slice(0, atMost);
  for (const { name, place, message } of shown) {
    yield {
      depth,
      text: `${name} ${did}${message === null ? '' : `: ${message}`}`,
      ...(did === 'failed' ? { color: 'red' } : {}),
    };
    if (place !== null) yield { depth: depth + 1, text: place, color: 'dim' };
  }
  const rest = total - shown.length;
  if (shown.length > 0 && rest > 0) yield { depth, text: `… and ${rest} more ${did}`, color: 'dim' };
}

function* reportLines(depth: number, [first, ...more]: readonly string[]): Generator<Line> {
  if (first !== undefined) yield { depth, text: `report ${first}`, color: 'dim', whole: true };
  for (const each of more) yield { depth: depth + 1, text: each, color: 'dim', whole: true };
}

const firingInWords = (
  { trigger, id, known, created_at, caused_by, targets_total, noop }: WhyFiringView,
  { now }: Tree,
): string => {
  const facts = [
    `“${trigger}”`,
    id,
    targets_total === null ? '' : `to ${targets_total === 1 ? '1 node' : `${targets_total} nodes`}`,
    noop === true ? 'noop' : '',
    created_at === null || caused_by === null ? '' : `${age(created_at, now)} ago`,
    known ? '' : 'etcd has deleted it',
  ];
  return facts.filter((fact) => fact !== '').join(', ');
};

const colorOfRun = (run: WhyRunView): Color | null =>
  run.stage === null ? 'dim' : colorOf({ ...run, stage: run.stage, output_tail: null });

const markOf = ({ view }: Tree, id: string): string => (view.focus === id ? '  ←' : '');

/** The targets without a line: how they ended where that is known, else how many they are. */
const restInWords = ({ tally, targets_total, id }: WhyFiringView, shown: readonly WhyRunView[]): string | null => {
  const rest = (targets_total ?? shown.length) - shown.length;
  if (rest <= 0) return null;
  if (tally === null) return `… and ${rest} more ${rest === 1 ? 'node' : 'nodes'}: trigger status ${id}`;
  const left = new Map(Object.entries(tally));
  for (const { result, stage } of shown) {
    const word = result ?? stage ?? '';
    left.set(word, (left.get(word) ?? 1) - 1);
  }
  const counted = new Map([...left].filter(([, number]) => number > 0));
  return `… and ${tallyInWords(counted)}: trigger status ${id}`;
};

const indent = '  ';

const paintLine = ({ depth, text, color = null, whole = false }: Line, { columns, paint }: Canvas): string => {
  const margin = indent.repeat(depth);
  const width =
    columns === null || whole ? Number.POSITIVE_INFINITY : Math.max(20, columns - margin.length - indent.length);
  return wrap(visible(text), width)
    .map((part, at) => `${margin}${at === 0 ? '' : indent}${paint(color, part)}`)
    .join('\n');
};
