/** `trigger plugin list|info|test`. */
import type { PluginTestView, PluginView } from '../../api/contract/plugins.ts';
import { formatDuration } from '../../kit/duration.ts';
import { renderFacts } from './facts.ts';
import type { Canvas } from './firing.ts';
import { renderTable } from './table.ts';

export const renderPlugins = (plugins: readonly PluginView[], { columns, paint }: Omit<Canvas, 'now'>): string =>
  renderTable(
    [
      { title: 'PLUGIN', cell: ({ name }) => name },
      { title: 'FIRINGS', cell: ({ allowed }) => (allowed ? 'allowed' : 'refused') },
      { title: 'MODE', cell: ({ mode }) => mode },
      {
        title: 'SUMMARY',
        cell: ({ summary, problem }) => problem ?? summary,
        shrinkTo: 16,
        paint: ({ problem }) => (problem === null ? null : 'red'),
      },
    ],
    plugins,
    columns,
    paint,
  );

export const renderPlugin = (plugin: PluginView, columns: number | null): string => {
  const facts = renderFacts([
    ['Plugin', plugin.name],
    ['Summary', plugin.summary],
    ['Problem', plugin.problem],
    ['Path', plugin.path],
    ['Mode', plugin.mode],
    ['Timeout', plugin.timeout_ms === null ? null : formatDuration(plugin.timeout_ms)],
    ['Noop', plugin.noop ? 'understood' : 'not understood'],
    ['Firings', plugin.allowed ? 'allowed by [watch] allow' : 'refused: not in [watch] allow'],
  ]);
  const args = Object.entries(plugin.args);
  return args.length === 0 ? facts : `${facts}\n\n${renderArguments(args, columns)}`;
};

const renderArguments = (args: readonly [string, PluginView['args'][string]][], columns: number | null): string =>
  renderTable(
    [
      { title: 'ARGUMENT', cell: ([name]) => name },
      { title: 'DEFAULT', cell: ([, arg]) => defaultOf(arg), shrinkTo: 8 },
      { title: 'PATTERN', cell: ([, arg]) => arg.pattern ?? rangeOf(arg), shrinkTo: 8 },
      { title: 'SUMMARY', cell: ([, arg]) => arg.summary, shrinkTo: 16 },
    ],
    args,
    columns,
  );

type Argument = PluginView['args'][string];

const defaultOf = ({ required, default: value, fixed }: Argument): string => {
  if (typeof fixed === 'string') return fixed === '' ? 'fixed' : `fixed: ${fixed}`;
  return required ? 'required' : (value ?? '');
};

const rangeOf = ({ kind, min, max }: Argument): string => (kind === 'integer' ? `${min ?? ''}…${max ?? ''}` : '');

export const renderPluginTest = (test: PluginTestView): string => {
  const verdict = test.ok ? 'ok' : `failed: ${test.problem ?? 'exit code differs'}`;
  const codes = `exit code ${test.exit_code ?? 'none'}, expected ${test.expected_exit_code}`;
  return `${test.output.trimEnd()}\n${test.name}: ${verdict} (${codes})`.trimStart();
};
