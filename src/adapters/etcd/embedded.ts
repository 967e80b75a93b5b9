import { mkdirSync, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { retryDelayMs, storeRetry } from '../../kit/retry.ts';
import {
  type EtcdPaths,
  type EtcdProcess,
  endLeftOver,
  endProcess,
  etcdPathsIn,
  forgetProcess,
  logTail,
  spawnEtcd,
  trimLog,
} from './embedded-process.ts';
import { type EmbeddedTls, embeddedTlsIn, ensureEmbeddedTls } from './embedded-tls.ts';

const startTimeoutMs = 30_000;
const pollMs = 50;
/** An etcd that ran for this long and died is started again at once. */
const stableMs = 60_000;
/** How often certificates and log are looked at: soon after the clock of a machine without a battery was set. */
const upkeepMs = 60_000;

export interface EmbeddedEtcdOptions {
  /** The daemon's state folder; etcd's data, certificates and log go below `etcd/` there. */
  readonly stateDir: string;
  /** Default: `etcd` on the PATH. */
  readonly binary?: string;
  /** On 127.0.0.1. Clients need the certificate of `embeddedTlsIn`. */
  readonly port: number;
  /** Default: `embeddedQuotaBytes`. */
  readonly quotaBytes?: number;
  readonly log: Log;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
  readonly upkeepMs?: number;
  readonly maxLogBytes?: number;
}

export interface EmbeddedEtcd {
  readonly endpoint: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** TERM, then KILL; resolves when it is gone. The data stay. */
  close(): Promise<void>;
}

/**
 * Runs the real etcd for this machine, and starts it again when it dies. Resolves when it is healthy or its first start has
 * failed, which is an outage like any other: it is logged with the end of etcd's log, and tried again. Throws
 * `state-unusable` when there is no place for its certificates.
 */
export const startEmbeddedEtcd = async (options: EmbeddedEtcdOptions): Promise<EmbeddedEtcd> => {
  const folder = join(options.stateDir, 'etcd');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const embedded = new Supervised(options, etcdPathsIn(folder), embeddedTlsIn(options.stateDir));
  await embedded.start();
  return embedded;
};

/** *Running* until the process ends, then *restarting* after a pause; `close` ends both for good. */
class Supervised implements EmbeddedEtcd {
  readonly endpoint: string;
  readonly #options: EmbeddedEtcdOptions;
  readonly #paths: EtcdPaths;
  readonly #tls: EmbeddedTls;
  readonly #stop = new AbortController();
  #process: EtcdProcess | undefined;
  #supervision: Promise<void> | undefined;
  /** Why it last did not start. */
  #complaint: string | undefined;
  #upkeep: NodeJS.Timeout | undefined;

  constructor(options: EmbeddedEtcdOptions, paths: EtcdPaths, tls: EmbeddedTls) {
    this.#options = options;
    this.#paths = paths;
    this.#tls = tls;
    this.endpoint = `https://127.0.0.1:${options.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.identity.pid;
  }

  async start(): Promise<void> {
    ensureEmbeddedTls(this.#tls, this.#now());
    if (await endLeftOver(this.#paths)) this.#options.log.warn({}, 'Ended the embedded etcd of an earlier daemon');
    const first = await this.#tryStart(1);
    this.#supervision = this.#supervise(first);
    this.#upkeep = setInterval(() => this.#keepUp(), this.#options.upkeepMs ?? upkeepMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#upkeep);
    this.#stop.abort();
    if (this.#process) await this.#end(this.#process);
    await this.#supervision;
  }

  async #supervise(first: EtcdProcess | undefined): Promise<void> {
    let running = first;
    let failures = running ? 0 : 1;
    while (!this.#stop.signal.aborted) {
      if (running) {
        const startedAt = performance.now();
        const how = await running.ended;
        this.#process = undefined;
        if (this.#stop.signal.aborted) return;
        failures = performance.now() - startedAt > stableMs ? 1 : failures + 1;
        this.#options.log.error({ how, failures }, 'The embedded etcd has ended; restarting it');
      }
      await sleep(retryDelayMs(storeRetry, failures), undefined, { signal: this.#stop.signal }).catch(() => undefined);
      running = this.#stop.signal.aborted ? undefined : await this.#tryStart(failures + 1);
      if (!running) failures++;
    }
  }

  /** Undefined when it does not run; the log says why, once for each reason. */
  async #tryStart(attempt: number): Promise<EtcdProcess | undefined> {
    const { log } = this.#options;
    try {
      const started = await this.#startOnce();
      this.#complaint = undefined;
      log.info({ endpoint: this.endpoint, pid: started.identity.pid }, 'The embedded etcd runs');
      return started;
    } catch (thrown) {
      if (this.#stop.signal.aborted) return undefined;
      const { code, message, remedy } = asTriggerdError(thrown);
      const level = message === this.#complaint ? 'debug' : 'error';
      this.#complaint = message;
      log[level]({ code, reason: message, remedy, attempt }, 'The embedded etcd does not start; retrying');
      return undefined;
    }
  }

  async #startOnce(): Promise<EtcdProcess> {
    if (await isListening(this.#options.port)) throw failed(`another program listens on ${this.endpoint}`);
    if (this.#stop.signal.aborted) throw failed('the daemon stops');
    const { binary = 'etcd', port, quotaBytes } = this.#options;
    const started = spawnEtcd(binary, port, this.#paths, this.#tls, quotaBytes);
    if (started === undefined) throw failed(`“${binary}” cannot be started`);
    this.#process = started;
    try {
      await this.#untilHealthy(started);
      return started;
    } catch (error) {
      await this.#end(started);
      throw error;
    }
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
    while (!(await isHealthy(this.endpoint, this.#tls))) {
      if (end !== undefined) throw failed(`it ended at once (${end})`, logTail(this.#paths));
      if (performance.now() > givesUpAt)
        throw failed(`it is not healthy after ${startTimeoutMs / 1_000} s`, logTail(this.#paths));
      await sleep(pollMs);
    }
  }

  #keepUp(): void {
    const { log, maxLogBytes } = this.#options;
    try {
      trimLog(this.#paths, maxLogBytes);
      this.#renewCertificates();
    } catch (thrown) {
      log.error(
        { reason: asTriggerdError(thrown).message },
        'Cannot trim the log or renew the certificates of the embedded etcd',
      );
    }
  }

  /** etcd reads its own certificate with every connection, the authority's only when it starts. */
  #renewCertificates(): void {
    const renewed = ensureEmbeddedTls(this.#tls, this.#now());
    if (renewed === 'nothing') return;
    const { folder } = this.#tls;
    this.#options.log.info({ renewed, folder }, 'Renewed the certificates of the embedded etcd');
    if (renewed === 'authority' && this.#process) void endProcess(this.#process.identity);
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }
}

const failed = (why: string, log = ''): TriggerdError =>
  new TriggerdError('etcd-embedded-failed', `the embedded etcd: ${why}${log === '' ? '' : `\n${log}`}`);

const isHealthy = (endpoint: string, tls: EmbeddedTls): Promise<boolean> =>
  new Promise((resolve) => {
    const [ca, client] = [readFileSync(tls.ca), readFileSync(tls.client)];
    const options = { ca, cert: client, key: client, agent: false, timeout: 1_000 };
    const request = get(new URL('/health', endpoint), options, async (response) => {
      let text = '';
      try {
        for await (const part of response) text += part;
      } catch {
        // Cut off: not healthy.
      }
      resolve(text.includes('"true"'));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp({ port, host: '127.0.0.1' });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
