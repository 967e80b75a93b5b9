import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createOutputReader } from '../../src/adapters/files/follow-output.ts';
import { createPluginFiles } from '../../src/adapters/files/plugin-files.ts';
import { stopLeftovers } from '../../src/adapters/process/persistent-leftovers.ts';
import { createStartPersistent } from '../../src/adapters/process/persistent-process.ts';
import { createPersistentRunner } from '../../src/adapters/process/persistent-runner.ts';
import { openSpilledOutput } from '../../src/adapters/process/spilled-output.ts';
import { openJournal } from '../../src/adapters/sqlite/open-journal.ts';
import { execDriver } from '../../src/plugin/exec-driver.ts';
import { createPool } from '../../src/plugin/persistent/pool.ts';
import { createPlugins, type PluginCatalogue } from '../../src/plugin/plugins.ts';
import { createRequestJobs, createRequestProofs, type RequestProofs } from '../../src/worker/jobs/request-jobs.ts';
import type { FinishedRequest, RequestListener, WorkerRequest } from '../../src/worker/request-jobs.ts';
import { temporaryFolder } from './journal.ts';
import { temporaryRunner } from './processes.ts';
import { queuesOf } from './queues.ts';
import { recordingLog } from './recording-log.ts';
import { stateIn } from './state.ts';
import { until } from './wait.ts';

/** Puts a plugin into `<folder>/plugins`. */
export const writePlugin = (folder: string, name: string, script: string, manifest = ''): void => {
  const home = join(folder, 'plugins', name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'plugin.toml'), `summary = "x"\n${manifest}`);
  writeFileSync(join(home, name), script.startsWith('#!') ? script : `#!/bin/sh\n${script}\n`);
  chmodSync(join(home, name), 0o755);
};

const pluginsIn = (folder: string, maxOutputBytes: number, graceMs: number, proofs: RequestProofs): PluginCatalogue =>
  createPlugins({
    files: createPluginFiles(join(folder, 'plugins')),
    puppetDriver: execDriver,
    node: 'node1',
    stateFolder: join(folder, 'plugin-state'),
    baseEnv: { PATH: '/usr/bin:/bin' },
    graceMs,
    maxOutputBytes,
    defaultTimeoutMs: null,
    limits: {},
    contextOf: () => '{}',
    proofOf: ({ request: { origin } }) => origin && proofs.of(origin),
    now: () => Date.now(),
  });

export interface RequestOptions {
  readonly slots?: number;
  readonly maxOutputBytes?: number;
  readonly idleMs?: number;
  readonly keep?: number;
  /** Short only for what does not listen: on a busy machine others take their time, too. */
  readonly graceMs?: number;
}

/** Requests on a real journal, real plugins and real processes. `stop` is the end of this daemon, as by a crash. */
export const requestsIn = async (folder = temporaryFolder(), options: RequestOptions = {}) => {
  const { slots = 4, maxOutputBytes = 1_000_000, idleMs = 60_000, graceMs = 60_000, keep } = options;
  mkdirSync(join(folder, 'plugins'), { recursive: true });
  const { journal, requests, close } = openJournal(stateIn(folder));
  const log = recordingLog();
  const proofs = createRequestProofs();
  const plugins = pluginsIn(folder, maxOutputBytes, graceMs, proofs);
  const reader = createOutputReader();
  const leftovers = join(folder, 'persistent');
  const start = createStartPersistent(leftovers);
  await stopLeftovers(leftovers);
  const pool = createPool({ start, node: 'node1', log, idleMs, now: () => Date.now() });
  const queues = queuesOf({
    queues: [
      { name: 'requests', slots, maxQueued: 10 },
      { name: 'default', slots: 1, maxQueued: 10 },
    ],
    journal,
    runner: createPersistentRunner(temporaryRunner(), pool),
    plugins,
    log,
    persistent: { pool, openOutput: openSpilledOutput, reader },
    ...(keep === undefined ? {} : { history: { keep, idsMs: 1e12, maxAgeMs: 1e12, every: 3_600_000 } }),
  });
  const jobs = createRequestJobs({ queues, plugins, journal, requests, reader, proofs, log });
  await queues.start();
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await queues.stop();
    close();
  };
  onTestFinished(stop);
  return { folder, jobs, queues, journal, requests, log, stop, leftovers };
};

let count = 0;

/** A request with every field and an id of its own. */
export const workerRequest = (fields: Partial<WorkerRequest> = {}): WorkerRequest => {
  count += 1;
  return {
    id: `01JB${String(count).padStart(22, '0')}`,
    worker: 'ops/demo01',
    service: 'demoservice',
    plugin: 'plain',
    args: {},
    payload: Buffer.alloc(0),
    timeoutMs: null,
    user: 'alice@ops',
    chain: [],
    ttl: 8,
    ...fields,
  };
};

export interface Listener extends RequestListener {
  readonly pieces: { stream: 'out' | 'err'; text: string }[];
  bytes(): Buffer;
  text(): string;
  readonly endings: FinishedRequest[];
  /** The end, once it is there. */
  end(timeoutMs?: number): Promise<FinishedRequest>;
}

/** Hears and keeps everything; `hold` is waited for with each piece. */
export const listener = (hold: () => Promise<void> = async () => undefined): Listener => {
  const chunks: Buffer[] = [];
  const pieces: Listener['pieces'] = [];
  const endings: FinishedRequest[] = [];
  return {
    pieces,
    endings,
    bytes: () => Buffer.concat(chunks),
    text: () => Buffer.concat(chunks).toString('utf8'),
    output: async ({ stream, bytes }) => {
      chunks.push(Buffer.from(bytes));
      pieces.push({ stream, text: bytes.toString('utf8') });
      await hold();
    },
    ended: (ending) => void endings.push(ending),
    end: (timeoutMs) => until(() => endings[0], 'the end of the request', timeoutMs),
  };
};
