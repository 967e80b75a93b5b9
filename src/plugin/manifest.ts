import { parse as parseToml, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { TriggerdError } from '../domain/errors.ts';
import { maxSlots } from '../domain/job.ts';
import { parseDuration } from '../kit/duration.ts';
import { parseSize } from '../kit/size.ts';
import { argumentProblems, argumentRule, argumentVariable } from './argument-rule.ts';
import type { PluginSource } from './ports.ts';

const duration = v.pipe(
  v.string(),
  v.transform((text) => parseDuration(text)),
  v.number('Expected a duration such as "10s", "5m" or "1h30m"'),
);

const size = v.pipe(
  v.union([v.string(), v.number()], 'Expected a size such as "512MiB"'),
  v.transform((value) => parseSize(value)),
  v.number('Expected a size such as "512MiB"'),
  v.minValue(1, 'Expected a size such as "512MiB"'),
);

const wholeNumber = (from: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(from, `Expected a whole number from ${from} on`));

const argument = v.pipe(
  argumentRule,
  v.rawCheck(({ dataset, addIssue }) => {
    if (dataset.typed) for (const message of argumentProblems(dataset.value)) addIssue({ message });
  }),
);

/** `trigger plugin test` runs this and expects exactly that. */
const invocation = v.strictObject({
  argv: v.optional(v.array(v.string()), []),
  args: v.optional(v.record(v.string(), v.string()), {}),
  payload: v.optional(v.nullable(v.string()), null),
  exit_code: v.optional(v.number(), 0),
  /** Text that the output must contain. */
  output: v.optional(v.string(), ''),
});

const argumentName = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_-]{0,63}$/, 'Expected a lower-case argument name'));

const manifest = v.strictObject({
  summary: v.string(),
  /** `exec`: one process per job. `persistent`: one process, many jobs; see `persistent/protocol.ts`. */
  mode: v.optional(v.picklist(['exec', 'persistent']), 'exec'),
  /** With mode `persistent`: jobs that one process takes at once. */
  concurrency: v.optional(v.pipe(wholeNumber(1), v.maxValue(maxSlots)), 1),
  /** What triggerd itself knows about this plugin; see `src/plugin/drivers.ts`. */
  driver: v.optional(v.picklist(['exec', 'command', 'puppet']), 'exec'),
  timeout: v.optional(v.nullable(duration), null),
  /** Whether the plugin honours `TRIGGERD_NOOP=1`; a noop job of any other plugin is refused. */
  noop: v.optional(v.boolean(), false),
  /**
   * Whose rights a request from inside a job of a request needs: those of everybody who asked and of the machine, or of
   * the machine alone, which so lends its rights to everybody who may start this plugin.
   */
  acts_as: v.optional(v.picklist(['asker', 'machine']), 'asker'),
  /** Processes that outlive the first one; by default `leave` with driver `puppet`, else `wait`. */
  leftovers: v.optional(v.picklist(['wait', 'leave', 'kill'])),
  /** After a loss of the runner (a reboot, say): run the job again, or let it end as `interrupted`. */
  on_restart: v.optional(v.picklist(['rerun', 'fail']), 'fail'),
  /** What one job of it may use; each wins over `[jobs]`. */
  max_memory: v.optional(size),
  max_processes: v.optional(wholeNumber(1)),
  max_open_files: v.optional(wholeNumber(64)),
  /** Processor time of each of its processes, in ms. */
  max_cpu: v.optional(v.pipe(duration, v.minValue(1000, 'Expected at least "1s"'))),
  /** The limits are a ceiling: lower ones in `[jobs]` apply. */
  lower_limits_win: v.optional(v.boolean(), false),
  success_exit_codes: v.optional(v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))), [0]),
  /** Told to whoever asked as 75: not now. */
  retry_exit_codes: v.optional(v.array(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(255))), []),
  args: v.optional(
    v.pipe(
      v.record(argumentName, argument),
      v.check((args) => hasDistinctVariables(args), 'Expected names that differ in more than “-” and “_”'),
    ),
    {},
  ),
  /** Takes arguments that `args` does not list, as any text. */
  any_args: v.optional(v.boolean(), false),
  invocation: v.optional(invocation, {}),
});

export type Manifest = v.InferOutput<typeof manifest>;

/** A plugin that was found and whose manifest is valid. */
export interface Plugin {
  readonly name: string;
  readonly executable: string;
  /** The version of its `PluginSource`. */
  readonly version: string;
  readonly manifest: Manifest;
}

/** The manifest of a plugin without `plugin.toml`, as in triggerFS: a program that takes any arguments. */
const defaultManifest = { summary: 'a program without plugin.toml', any_args: true };

/** Reads `plugin.toml`. Throws `plugin-manifest` with every problem, each with its key. */
export const readManifest = (source: PluginSource): Plugin => {
  const { name, executable, version, manifestText } = source;
  const written = manifestText === null ? defaultManifest : parseManifestToml(source.manifestFile, manifestText);
  const parsed = v.safeParse(manifest, written);
  if (parsed.success) return { name, executable, version, manifest: parsed.output };
  const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? '(top)'}: ${issue.message}`);
  throw new TriggerdError('plugin-manifest', `${source.manifestFile}: ${problems.join('; ')}`);
};

/**
 * `readManifest`, which parses a text again only when it has changed: every job looks its plugin up four times. What
 * the disk says (where it is, whose, which text) is asked for each time, by the caller.
 */
export const createManifestReader = (): ((source: PluginSource) => Plugin) => {
  const read = new Map<string, { readonly text: string | null; readonly plugin: Plugin }>();
  return (source) => {
    const known = read.get(source.name);
    const { executable, version } = source;
    if (known !== undefined && known.text === source.manifestText) return { ...known.plugin, executable, version };
    const plugin = readManifest(source);
    read.set(source.name, { text: source.manifestText, plugin });
    return plugin;
  };
};

const parseManifestToml = (file: string, text: string): unknown => {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const where = `${file}:${cause.line}:${cause.column}`;
    throw new TriggerdError('plugin-manifest', `${where}: not valid TOML`, { cause });
  }
};

/** Two arguments may not share one environment variable. */
const hasDistinctVariables = (args: object): boolean => {
  const names = Object.keys(args);
  return new Set(names.map(argumentVariable)).size === names.length;
};
