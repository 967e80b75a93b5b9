import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { TriggerdError } from '../../src/domain/errors.ts';
import type { WholeFiring } from '../../src/domain/firing.ts';
import { publishFiring } from '../../src/firings/publish/publish.ts';
import { parseOutcome } from '../../src/firings/wire/outcome.ts';
import type { Keyspace } from '../../src/store/keys.ts';
import type { Execution, FaultRecord, FinalOutcome, Gauge, Refusal, Submission } from './checker.ts';
import { firing as someFiring } from './firings.ts';
import { root } from './node.ts';

/**
 * Writes down who submitted what, what ran when, and what ended how; `record` gives it to the checker. What runs writes
 * for itself, with one plugin, `record`, to files that no daemon and no runner knows of.
 */
export interface Recorder {
  /** A `[plugins] path` with `command`, and with `record` and its arguments `key`, `ms`, `code` and `poison`. */
  readonly plugins: string;
  /** Publishes until it is acknowledged, or until `giveUpMs` have passed. */
  submit(keyspace: Keyspace, request: SubmitRequest, giveUpMs?: number): Promise<Submission>;
  /** Notes a refusal for I7. */
  refused(what: string, code: string | null, message: string): void;
  gauge(gauge: Gauge): void;
  /** Notes text that must hold no secret. */
  text(text: string): void;
  readonly submissions: readonly Submission[];
  executions(): Execution[];
  record(keyspace: Keyspace): Promise<FaultRecord>;
  remove(): void;
}

export interface SubmitRequest {
  readonly targets: readonly string[];
  /** Firings with the same key may share a job. */
  readonly key: string;
  /** How long the run takes. */
  readonly ms?: number;
}

export const createRecorder = (): Recorder => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-record-'));
  const plugins = writePlugin(folder);
  const submissions: Submission[] = [];
  const refusals: Refusal[] = [];
  const gauges: Gauge[] = [];
  const texts: string[] = [];
  return {
    plugins,
    submissions,
    submit: async (keyspace, request, giveUpMs = 60_000) => {
      const submittedAt = uptime();
      const firing = firingOf(request);
      const isAcked = await publishUntilAcked(keyspace, firing, giveUpMs, refusals);
      const submission = { id: firing.id, targets: request.targets, submittedAt, ackedAt: isAcked ? uptime() : null };
      submissions.push(submission);
      return submission;
    },
    refused: (what, code, message) => void refusals.push({ what, code, message }),
    gauge: (gauge) => void gauges.push(gauge),
    text: (text) => void texts.push(text),
    executions: () => readExecutions(folder),
    record: async (keyspace) => {
      const { outcomes, owed } = await readEtcd(keyspace);
      const executions = readExecutions(folder).map((run) => completed(run, outcomes));
      return { submissions, executions, outcomes, owed, refusals, gauges, texts };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** Seconds since boot: one clock for the tests and for bash. */
export const uptime = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

const firingOf = ({ targets, key, ms = 0 }: SubmitRequest): WholeFiring =>
  someFiring({
    id: ulid(),
    targets,
    job: { plugin: 'record', args: { key, ms: String(ms) } },
    createdAt: new Date().toISOString(),
  });

/** The same firing again and again: an answer that was lost may have been a yes. */
const publishUntilAcked = async (
  keyspace: Keyspace,
  firing: WholeFiring,
  giveUpMs: number,
  refusals: Refusal[],
): Promise<boolean> => {
  const endsAt = performance.now() + giveUpMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(500, pauseMs * 2)) {
    try {
      await publishFiring(keyspace, firing);
      return true;
    } catch (thrown) {
      const error = thrown instanceof TriggerdError ? thrown : undefined;
      refusals.push({ what: `publish ${firing.id}`, code: error?.code ?? null, message: String(thrown) });
      if (error?.retryable !== true || performance.now() >= endsAt) return false;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
};

/** No process but bash: a run of its own costs about 5 ms. */
const script = (folder: string): string => `#!/bin/bash
exec 2>>${folder}/plugin-errors
read -r up _ < /proc/uptime
run="$$-$EPOCHREALTIME"
mapfile -t lines < "$TRIGGERD_CONTEXT"
printf '%s\\n' "\${lines[@]}" > ${folder}/contexts/$run.json
printf '%s\\n' "start $run $TRIGGERD_JOB $TRIGGERD_ATTEMPT $up" >> ${folder}/runs/$TRIGGERD_NODE
[ -z "\${TRIGGER_ARG_POISON}" ] || { kill -9 $PPID; exit 1; }
[ "\${TRIGGER_ARG_MS:-0}" = 0 ] || sleep "$(printf '%d.%03d' $((TRIGGER_ARG_MS / 1000)) $((TRIGGER_ARG_MS % 1000)))"
read -r up _ < /proc/uptime
printf '%s\\n' "end $run $TRIGGERD_JOB $TRIGGERD_ATTEMPT $up" >> ${folder}/runs/$TRIGGERD_NODE
exit "\${TRIGGER_ARG_CODE:-0}"
`;

const manifest = `summary = "Writes down that it runs"
on_restart = "rerun"
[args.key]
summary = "Runs with the same key may be shared"
default = ""
[args.ms]
summary = "How long it takes"
default = "0"
[args.poison]
summary = "Not empty: it takes its runner down"
default = ""
[args.code]
summary = "Its exit code"
default = "0"
`;

const writePlugin = (folder: string): string => {
  const plugin = join(folder, 'plugins/record');
  for (const path of [plugin, join(folder, 'runs'), join(folder, 'contexts')]) mkdirSync(path, { recursive: true });
  writeFileSync(join(plugin, 'plugin.toml'), manifest);
  writeFileSync(join(plugin, 'record'), script(folder));
  chmodSync(join(plugin, 'record'), 0o755);
  cpSync(join(root, 'plugins/command'), join(folder, 'plugins/command'), { recursive: true });
  return join(folder, 'plugins');
};

/** `total`: of how many firings the run was told; `firings` are the newest of them. */
type RecordedRun = Execution & { readonly total: number };
type ReadOutcome = FinalOutcome & { readonly jobId: number | null };

const readExecutions = (folder: string): RecordedRun[] => {
  if (existsSync(join(folder, 'plugin-errors')) && readFileSync(join(folder, 'plugin-errors'), 'utf8') !== '')
    throw new Error(`the plugin record failed: ${readFileSync(join(folder, 'plugin-errors'), 'utf8')}`);
  return readdirSync(join(folder, 'runs')).flatMap((node) => {
    const text = readFileSync(join(folder, 'runs', node), 'utf8');
    return parseRuns(node, text, (run) => {
      const context = JSON.parse(readFileSync(join(folder, 'contexts', `${run}.json`), 'utf8')) as Context;
      return { firings: context.firings.map(({ id }) => id), total: context.firings_total };
    });
  });
};

interface Context {
  readonly firings: readonly { readonly id: string }[];
  readonly firings_total: number;
}

/**
 * A run of very many firings is told of the newest only, and how many there are. The rest is taken from the outcomes
 * that name its job, if they are exactly as many; else what is missing is missing, and the checker says so.
 */
const completed = (run: RecordedRun, outcomes: readonly ReadOutcome[]): Execution => {
  if (run.total === run.firings.length) return run;
  const named = outcomes.filter(({ node, jobId }) => node === run.node && String(jobId) === run.job);
  return named.length === run.total ? { ...run, firings: named.map(({ id }) => id) } : run;
};

/** Lines `start|end <run> <job> <attempt> <uptime>`. */
export const parseRuns = (
  node: string,
  text: string,
  contextOf: (run: string) => Pick<RecordedRun, 'firings' | 'total'>,
): RecordedRun[] => {
  const runs = new Map<string, RecordedRun>();
  for (const [line, words] of text.split('\n').slice(0, -1).entries()) {
    const [what, run = '', job = '', attempt = '', at = ''] = words.split(' ');
    const begun = runs.get(run);
    if (what === 'start') {
      const facts = { node, job, attempt: Number(attempt), ...contextOf(run) };
      runs.set(run, { ...facts, startedAt: Number(at), endedAt: null, startLine: line, endLine: null });
    } else if (what === 'end' && begun !== undefined) runs.set(run, { ...begun, endedAt: Number(at), endLine: line });
    else throw new Error(`${node}: line ${line + 1} of the record is “${words}”`);
  }
  return [...runs.values()];
};

const readEtcd = async ({ store, keys }: Keyspace): Promise<{ outcomes: ReadOutcome[]; owed: string[] }> => {
  const base = keys.firings.replace(/firings\/$/, '');
  const outcomes = await store.list(`${base}outcomes/`);
  const owed = await store.list(`${base}inbox/`);
  return {
    outcomes: outcomes.entries.map(({ key, value }) => {
      const { firing: id, node, stage, result, jobId } = parseOutcome(key, value);
      return { id, node, stage, result, jobId };
    }),
    owed: owed.entries.map(({ key }) => key.slice(`${base}inbox/`.length)),
  };
};
