/** The causal graph in Graphviz's language: `trigger why … --dot | dot -Tsvg`. */
import type { WhyFiringView, WhyRunView, WhyView } from '../../api/contract/why.ts';
import { endedWell } from '../../domain/outcome.ts';
import { visible } from '../../kit/text.ts';
import { causesOf, originOf, type ResourceWords, runInWords } from './why-words.ts';

/** Resources, firings and runs are nodes; causes point at effects. */
export const renderDot = (view: WhyView, now: number): string => {
  const nameOf = (id: string): string => {
    const firing = view.firings.findIndex((each) => each.id === id);
    return firing >= 0 ? `firing${firing}` : `run${view.runs.findIndex((run) => run.id === id)}`;
  };
  const known = new Set(view.firings.map(({ id }) => id));
  const lines = [
    ...view.firings.flatMap((firing) => firingLines(firing, nameOf)),
    ...view.runs.flatMap((run) => [
      runLine(run, nameOf(run.id), now, run.id === view.focus),
      ...run.firings.filter((id) => known.has(id)).map((id) => edge(nameOf(id), nameOf(run.id))),
    ]),
  ];
  return ['digraph why {', '  rankdir=LR;', '  node [shape=box, style=rounded];', ...lines, '}'].join('\n');
};

/** A firing, with the resources that led to it between it and the run that they changed in. */
const firingLines = (firing: WhyFiringView, nameOf: (id: string) => string): string[] => {
  const name = nameOf(firing.id);
  const label = [`“${firing.trigger}”`, firing.id, ...(firing.known ? [] : ['etcd has deleted it'])];
  const shape = { shape: 'cds', ...(firing.known ? {} : { style: 'dashed' }), ...linkOf(firing.report) };
  const causes = causesOf(firing).named.map((each) => ({ label: resourceLabel(firing, each), shape: 'note' }));
  const origin =
    firing.caused_by === null && causes.length === 0 ? [{ label: [originOf(firing)], shape: 'plain' }] : [];
  const run = firing.caused_by === null ? [] : [nameOf(firing.caused_by)];
  return [
    node(name, label, shape),
    ...[...causes, ...origin].flatMap((cause, at) => {
      const causeName = `${name}cause${at}`;
      return [
        node(causeName, cause.label, { shape: cause.shape }),
        edge(causeName, name),
        ...run.map((from) => edge(from, causeName)),
      ];
    }),
    ...(causes.length === 0 ? run.map((from) => edge(from, name)) : []),
  ];
};

const resourceLabel = (firing: WhyFiringView, { name, place, message }: ResourceWords): string[] =>
  [name, firing.caused_by === null ? originOf(firing) : null, place, message].filter((each) => each !== null);

const runLine = (run: WhyRunView, name: string, now: number, isFocus: boolean): string =>
  node(name, [run.node, runInWords(run, now)], {
    ...(run.stage === null ? { style: 'dashed' } : {}),
    ...(run.stage === 'finished'
      ? { color: endedWell({ stage: run.stage, result: run.result }) ? 'darkgreen' : 'red' }
      : {}),
    ...(run.stage === 'skipped' || run.stage === 'deferred' ? { color: 'orange' } : {}),
    ...(isFocus ? { penwidth: '2' } : {}),
    ...linkOf(run.report),
  });

type Attributes = Readonly<Record<string, string>>;

const linkOf = (report: WhyRunView['report']): Attributes => (report === null ? {} : { URL: visible(report.url) });

const node = (name: string, label: readonly string[], attributes: Attributes): string => {
  const all = { label: label.map((line) => visible(line).replaceAll('&', '&amp;')).join('\n'), ...attributes };
  return `  ${name} [${Object.entries(all)
    .map(([key, value]) => `${key}=${quoted(value)}`)
    .join(', ')}];`;
};

const edge = (from: string, to: string): string => `  ${from} -> ${to};`;

/** A newline is written as Graphviz’ `\n`; any backslash of the text as two. */
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
