import { mkdirSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../domain/log.ts';
import { retryDelayMs, storeRetry } from '../../domain/retry.ts';
import {
  type EtcdPaths,
  type EtcdProcess,
  endLeftOver,
  endProcess,
  etcdPathsIn,
  forgetProcess,
  logTail,
  spawnEtcd,
} from './embedded-process.ts';

const startTimeoutMs = 30_000;
const pollMs = 50;
/** An etcd that ran for this long and died is started again at once. */
const stableMs = 60_000;

export interface EmbeddedEtcdOptions {
  /** The daemon's state folder; etcd's data and log go below `etcd/` there. */
  readonly stateDir: string;
  /** Default: `etcd` on the PATH. */
  readonly binary?: string;
  /** `http://127.0.0.1:<port>`: nothing but this machine reaches an etcd without certificates. */
  readonly clientUrl: string;
  readonly log: Log;
}

export interface EmbeddedEtcd {
  readonly endpoint: string;
  /** Undefined between a death and the restart. */
  readonly pid: number | undefined;
  /** TERM, then KILL; resolves when it is gone. The data stay. */
  close(): Promise<void>;
}

/**
 * Runs the real etcd for this machine, and starts it again when it dies. Resolves when it is healthy. Throws
 * `etcd-embedded-failed` with the end of its log.
 */
export const startEmbeddedEtcd = async (options: EmbeddedEtcdOptions): Promise<EmbeddedEtcd> => {
  const folder = join(options.stateDir, 'etcd');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const embedded = new Supervised(options, etcdPathsIn(folder));
  await embedded.start();
  return embedded;
};

/** *Running* until the process ends, then *restarting* after a pause; `close` ends both for good. */
class Supervised implements EmbeddedEtcd {
  readonly endpoint: string;
  readonly #options: EmbeddedEtcdOptions;
  readonly #port: number;
  readonly #paths: EtcdPaths;
  readonly #stop = new AbortController();
  #process: EtcdProcess | undefined;
  #supervision: Promise<void> | undefined;

  constructor(options: EmbeddedEtcdOptions, paths: EtcdPaths) {
    this.#options = options;
    this.#port = portOf(options.clientUrl);
    this.#paths = paths;
    this.endpoint = `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#process?.identity.pid;
  }

  async start(): Promise<void> {
    if (await endLeftOver(this.#paths))
      this.#options.log.warn({}, 'Ended the embedded etcd that an earlier daemon had left running.');
    if (await isListening(this.#port)) throw failed(`something else listens on ${this.endpoint}`);
    const started = this.#spawn();
    try {
      await this.#untilHealthy(started);
    } catch (error) {
      await this.#end(started);
      throw error;
    }
    this.#options.log.info({ endpoint: this.endpoint, pid: started.identity.pid }, 'The embedded etcd runs.');
    this.#supervision = this.#supervise(started);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#process) await this.#end(this.#process);
    await this.#supervision;
  }

  async #supervise(first: EtcdProcess): Promise<void> {
    let running: EtcdProcess | undefined = first;
    let deaths = 0;
    while (!this.#stop.signal.aborted) {
      const startedAt = performance.now();
      const how = running ? await running.ended : 'it could not be started';
      this.#process = undefined;
      if (this.#stop.signal.aborted) return;
      deaths = performance.now() - startedAt > stableMs ? 1 : deaths + 1;
      const delayMs = retryDelayMs(storeRetry, deaths);
      this.#options.log.error({ how, delayMs, deaths }, 'The embedded etcd has died; starting it again.');
      await sleep(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (!this.#stop.signal.aborted) running = this.#trySpawn();
    }
  }

  #trySpawn(): EtcdProcess | undefined {
    try {
      return this.#spawn();
    } catch {
      return undefined;
    }
  }

  #spawn(): EtcdProcess {
    const { binary = 'etcd' } = this.#options;
    const started = spawnEtcd(binary, this.#port, this.#paths);
    if (started === undefined) throw failed(`“${binary}” can not be started`);
    this.#process = started;
    return started;
  }

  async #end(started: EtcdProcess): Promise<void> {
    await endProcess(started.identity);
    await started.ended;
    this.#process = undefined;
    forgetProcess(this.#paths);
  }

  async #untilHealthy(started: EtcdProcess): Promise<void> {
    let end: string | undefined;
    void started.ended.then((how) => {
      end = how;
    });
    const givesUpAt = performance.now() + startTimeoutMs;
    while (!(await isHealthy(this.endpoint))) {
      if (end !== undefined) throw failed(`it ended at once (${end})`, logTail(this.#paths));
      if (performance.now() > givesUpAt)
        throw failed(`it is not healthy after ${startTimeoutMs / 1_000} s`, logTail(this.#paths));
      await sleep(pollMs);
    }
  }
}

const failed = (why: string, log = ''): TriggerdError =>
  new TriggerdError('etcd-embedded-failed', `the embedded etcd: ${why}${log === '' ? '' : `\n${log}`}`);

const portOf = (clientUrl: string): number => {
  const { protocol, hostname, port } = new URL(clientUrl);
  if (protocol !== 'http:' || !['127.0.0.1', 'localhost'].includes(hostname))
    throw failed(`it can only listen on http://127.0.0.1:<port>, not on ${clientUrl}`);
  return Number(port || '2379');
};

const isHealthy = async (endpoint: string): Promise<boolean> => {
  try {
    const answer = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(1_000) });
    return (await answer.text()).includes('"true"');
  } catch {
    return false;
  }
};

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp({ port, host: '127.0.0.1' });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
