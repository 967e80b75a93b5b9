/** `trigger why`: the answer in a sentence, the way there, and what is still owed. */
import type { WhyRunView, WhyView } from '../../api/contract/why.ts';
import { visible } from '../../kit/text.ts';
import { wrap } from '../../kit/width.ts';
import type { Canvas } from './firing.ts';
import { shortOrigin } from './origin.ts';
import { localTimeAndAge } from './time.ts';
import { waysThrough } from './why-graph.ts';
import { renderTree } from './why-tree.ts';
import { beginningOf } from './why-words.ts';

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
