import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ulid } from 'ulid';
import { lengthOf, outputFile, placeOfLastLines, readTail, tailFile } from '../../adapters/files/tail-file.ts';
import { leaderPid } from '../../adapters/process/job-files.ts';
import type { PluginTestView } from '../../api/contract/plugins.ts';
import type { ApiServices, Output, OutputOptions, Outputs, PluginCatalogue } from '../../api/services/services.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { hasEnded, type JobId } from '../../domain/job.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { createPluginTest } from '../../plugin/test-plugin.ts';
import type { Queues } from '../../queue/queues.ts';
import type { KeptOutput } from '../../queue/verbs/look.ts';
import { clock } from '../clock.ts';
import { observedQueues } from '../compose/observe.ts';
import type { WorkerDaemonRuntime } from '../compose/runtime.ts';
import { localHealth } from './health.ts';
import { noTriggerFiles } from './trigger-files.ts';

type LocalService = 'queues' | 'plugins' | 'outputs' | 'pidOf' | 'metrics' | 'node' | 'now' | 'newFiringId';

/** What every daemon serves: its jobs and its plugins; nothing that needs etcd. */
export const localServices = (runtime: WorkerDaemonRuntime): Pick<ApiServices, LocalService> => ({
  queues: observedQueues(runtime),
  plugins: pluginCatalogue(runtime),
  outputs: createOutputsService(runtime.queues),
  pidOf: ({ folder }) => leaderPid(folder) ?? null,
  metrics: runtime.metrics,
  node: runtime.options.node,
  now: () => clock.now(),
  newFiringId: () => ulid(),
});

/** The plugins of this node, and how they are tried. */
const pluginCatalogue = ({
  plugins,
  runner,
  state,
}: Pick<WorkerDaemonRuntime, 'plugins' | 'runner' | 'state'>): PluginCatalogue => {
  const runTest = createPluginTest({
    catalogue: plugins,
    runner,
    newFolder: async () => {
      const path = await mkdtemp(join(state.path, 'plugin-test-'));
      return { path, remove: () => rm(path, { recursive: true, force: true }) };
    },
    readOutput: async (folder) => (await readTail(outputFile(folder), 65_536)) ?? Buffer.alloc(0),
    now: () => Date.now(),
  });
  return {
    names: () => plugins.names(),
    find: (name) => plugins.find(name),
    isAllowed: (name) => plugins.isAllowed(name),
    test: async (name): Promise<PluginTestView> => {
      const { expectedExitCode, exitCode, output, outputBase64, problem } = await runTest(name);
      const bytes = outputBase64 === undefined ? {} : { output_base64: outputBase64 };
      const expected = { expected_exit_code: expectedExitCode, exit_code: exitCode };
      return { name, ok: problem === null, ...expected, output, ...bytes, problem };
    },
  };
};

/** The control API of a daemon that is a worker only: its jobs, its plugins and its events; nothing that needs etcd. */
export const workerServices = (runtime: WorkerDaemonRuntime): ApiServices => {
  const { events } = runtime;
  const startedAt = new Date().toISOString();
  return {
    ...localServices(runtime),
    events: { here: events, fleet: events },
    health: () => localHealth(runtime, startedAt),
    newFiringId: workerOnly,
    nodes: workerOnly,
    triggerFiles: noTriggerFiles,
    why: workerOnly,
    forgetNode: workerOnly,
    adoptNode: workerOnly,
    firings: { publish: workerOnly, recent: workerOnly, status: workerOnly, follow: workerOnly, cancel: workerOnly },
    spool: { store: workerOnly, publish: workerOnly },
    runs: { record: workerOnly },
    registry: { execute: workerOnly, initialise: workerOnly },
    brokers: { own: workerOnly, list: workerOnly, requests: workerOnly },
  };
};

const workerOnly = (): never => {
  throw new TriggerdError('worker-only', 'this daemon has no etcd: it only runs jobs');
};

/** The output of jobs, from their files. */
export const createOutputsService = (queues: Pick<Queues, 'waitFor' | 'keptOutput'>): Outputs => ({
  open: async (job, options, signal) => {
    const kept = job.outputIn === undefined ? undefined : queues.keptOutput(job.id);
    if (kept !== undefined) return openKept(kept, options, signal);
    if (options.stream === 'err' && job.request.stderrApart !== true) throw notApart(job.id);
    const path = outputFile(job.folder, options.stream);
    const from = await firstByte(path, options);
    const ended = options.follow && !hasEnded(job) ? queues.waitFor(job.id, signal) : Promise.resolve();
    return { from, bytes: Readable.from(tailFile(path, { ended, signal, from })) };
  },
});

const notApart = (id: JobId): TriggerdError =>
  new TriggerdError('input-invalid', `job ${id} was added without --stderr: its output holds both streams`, {
    details: { id },
  });

/** Of a request that has no files: there is little of it, so it is given from where the caller wants it, in order. */
const openKept = async (kept: KeptOutput, options: OutputOptions, signal: AbortSignal): Promise<Output> => {
  const from = options.from ?? (await placeOfLastLinesIn(kept, options.lines));
  return { from, bytes: Readable.from(keptBytes(kept, from, options.follow, signal)) };
};

const placeOfLastLinesIn = async (kept: KeptOutput, lines: number | undefined): Promise<number> => {
  if (lines === undefined) return 0;
  const text = (await presentBytes(kept)).toString('latin1');
  if (lines === 0) return text.length;
  let at = text.length;
  for (let left = lines; left > 0 && at > 0; left -= 1) at = text.lastIndexOf('\n', at - 2) + 1;
  return at;
};

const presentBytes = async (kept: KeptOutput): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of keptBytes(kept, 0, false, never)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** What a reader is given, as something to be iterated over: it gives the next piece when the last one was taken. */
async function* keptBytes(
  kept: KeptOutput,
  from: number,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const pieces: { readonly bytes: Buffer; readonly taken: () => void }[] = [];
  let news = (): void => undefined;
  const reading = kept.read(
    ({ bytes }) =>
      new Promise((taken) => {
        pieces.push({ bytes, taken });
        news();
      }),
  );
  let isOver = false;
  let failure: unknown;
  const finish = async (): Promise<void> => {
    if (follow) await unlessAborted(kept.over, signal, () => undefined);
    if (!signal.aborted) await reading.finish();
  };
  finish()
    .catch((thrown: unknown) => {
      failure = thrown;
    })
    .finally(() => {
      isOver = true;
      news();
    });
  try {
    for (let skip = from; !signal.aborted; ) {
      const piece = pieces.shift();
      if (piece === undefined && failure !== undefined) throw failure;
      if (piece === undefined && isOver) return;
      if (piece === undefined) {
        await new Promise<void>((resolve) => {
          news = resolve;
          if (pieces.length > 0 || isOver) resolve();
        });
        continue;
      }
      const wanted = piece.bytes.subarray(Math.min(skip, piece.bytes.length));
      skip = Math.max(0, skip - piece.bytes.length);
      if (wanted.length > 0) yield wanted;
      piece.taken();
    }
  } finally {
    reading.stop();
  }
}

const never = new AbortController().signal;

/** A file that is shorter than what the caller has already is another one: begun anew. */
const firstByte = async (path: string, { from, lines }: OutputOptions): Promise<number> => {
  if (from !== undefined) return from <= (await lengthOf(path)) ? from : 0;
  return lines === undefined ? 0 : placeOfLastLines(path, lines);
};
