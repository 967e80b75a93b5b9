import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createOutputReader } from '../../src/adapters/files/follow-output.ts';
import { createPluginFiles } from '../../src/adapters/files/plugin-files.ts';
import { openJournal } from '../../src/adapters/sqlite/open-journal.ts';
import type { RequestEnding, RequestListener, WorkerRequest } from '../../src/bus/ports.ts';
import { execDriver } from '../../src/plugin/exec-driver.ts';
import { createPlugins, type PluginRoom } from '../../src/plugin/plugins.ts';
import { createRequestJobs } from '../../src/queue/requests/request-jobs.ts';
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
  writeFileSync(join(home, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(home, name), 0o755);
};

const pluginsIn = (folder: string, maxOutputBytes: number): PluginRoom =>
  createPlugins({
    files: createPluginFiles(join(folder, 'plugins')),
    puppetDriver: execDriver,
    node: 'node1',
    stateFolder: join(folder, 'plugin-state'),
    baseEnv: { PATH: '/usr/bin:/bin' },
    graceMs: 200,
    maxOutputBytes,
    defaultTimeoutMs: null,
    limits: {},
    contextOf: () => '{}',
    now: () => Date.now(),
  });

/** Requests on a real journal, real plugins and real processes. `stop` is the end of this daemon, as by a crash. */
export const requestsIn = async (folder = temporaryFolder(), { slots = 4, maxOutputBytes = 1_000_000 } = {}) => {
  mkdirSync(join(folder, 'plugins'), { recursive: true });
  const { journal, requests, close } = openJournal(stateIn(folder));
  const log = recordingLog();
  const queues = queuesOf({
    queues: [{ name: 'requests', slots, maxQueued: 10 }],
    journal,
    runner: temporaryRunner(),
    plugins: pluginsIn(folder, maxOutputBytes),
    log,
  });
  const jobs = createRequestJobs({ queues, requests, reader: createOutputReader(), log });
  await queues.start();
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await queues.stop();
    close();
  };
  onTestFinished(stop);
  return { folder, jobs, queues, journal, requests, log, stop };
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
  readonly endings: RequestEnding[];
  /** The end, once it is there. */
  end(timeoutMs?: number): Promise<RequestEnding>;
}

/** Hears and keeps everything; `hold` is waited for with each piece. */
export const listener = (hold: () => Promise<void> = async () => undefined): Listener => {
  const chunks: Buffer[] = [];
  const pieces: Listener['pieces'] = [];
  const endings: RequestEnding[] = [];
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
