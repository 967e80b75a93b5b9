import { onTestFinished } from 'vitest';
import { encodeToWorker } from '../../src/bus/codec/encode.ts';
import type { ToWorker, WorkerMessage } from '../../src/bus/messages.ts';
import type { Connect, Connection, ConnectionListener } from '../../src/bus/ports.ts';
import type { BrokerAddress } from '../../src/domain/broker-address.ts';
import type { RequestId, RequestRun } from '../../src/domain/request.ts';
import { BusWorker, type BusWorkerOptions } from '../../src/worker/bus-worker.ts';
import type { WorkerEvent } from '../../src/worker/ports.ts';
import type { FinishedRequest, RequestJobs, RequestListener, WorkerRequest } from '../../src/worker/request-jobs.ts';
import { decodeFromWorker } from './codec.ts';
import { recordingLog } from './recording-log.ts';

/** The broker's end of a connection that exists only in memory. */
export interface FakeLink {
  readonly endpoint: string;
  readonly isClosed: boolean;
  /** What the worker has said since the last look, in order. */
  heard(): WorkerMessage[];
  /** The bodies of the messages that were heard last. */
  bodies(): string[];
  say(head: ToWorker, body?: string): void;
  /** Bytes as they come from the wire. */
  sayRaw(frame: Buffer): void;
  up(): void;
  down(reason: string): void;
  /** From now on the socket takes nothing. */
  jam(): void;
}

export const fakeBrokers = (): { readonly connect: Connect; readonly links: FakeLink[] } => {
  const links: FakeLink[] = [];
  return { links, connect: ({ endpoint }, listener) => openFake(links, endpoint, listener) };
};

const openFake = (links: FakeLink[], endpoint: string, listener: ConnectionListener): Connection => {
  let sent: { head: WorkerMessage; body: string }[] = [];
  let bodies: string[] = [];
  let isClosed = false;
  let isJammed = false;
  const unlessClosed = (act: () => void): void => {
    if (!isClosed) act();
  };
  const sayRaw = (frame: Buffer, body = ''): void => unlessClosed(() => listener.message(frame, Buffer.from(body)));
  links.push({
    endpoint,
    get isClosed() {
      return isClosed;
    },
    heard: () => {
      bodies = sent.map(({ body }) => body);
      const heads = sent.map(({ head }) => head);
      sent = [];
      return heads;
    },
    bodies: () => bodies,
    say: (head, body) => sayRaw(Buffer.from(encodeToWorker(head)), body),
    sayRaw,
    up: () => unlessClosed(() => listener.up()),
    down: (reason) => unlessClosed(() => listener.down(reason)),
    jam: () => {
      isJammed = true;
    },
  });
  return {
    queuedBytes: 0,
    send: (head, body) => {
      if (isClosed) throw new Error(`${head} is sent over a closed connection`);
      if (isJammed) return false;
      const message = decodeFromWorker(Buffer.from(head));
      if (typeof message === 'string') throw new Error(`no broker understands ${message}`);
      sent.push({ head: message, body: body?.toString() ?? '' });
      return true;
    },
    close: async () => {
      isClosed = true;
    },
  };
};

/** Requests as jobs, by hand. */
export interface FakeJobs extends RequestJobs {
  slots: number;
  readonly started: WorkerRequest[];
  readonly cancelled: string[];
  /** Who hears this request now. */
  listeners(id: RequestId): RequestListener[];
  end(id: RequestId, ending?: Partial<FinishedRequest>): void;
  /** Says that a slot is free. */
  tellFree(): void;
}

export const fakeJobs = (slots = 2): FakeJobs => {
  const heard = new Map<string, Set<RequestListener>>();
  const active = new Map<string, RequestRun>();
  let onFree = (): void => undefined;
  const key = ({ id, worker, user }: RequestRun): string => `${id} ${worker} ${user}`;
  const listeners = (id: RequestId): RequestListener[] =>
    [...heard].filter(([run]) => run.startsWith(`${id} `)).flatMap(([, all]) => [...all]);
  const follow = (run: RequestRun, listener: RequestListener): boolean => {
    const all = heard.get(key(run));
    all?.add(listener);
    return all !== undefined;
  };
  const jobs: FakeJobs = {
    slots,
    started: [],
    cancelled: [],
    listeners,
    end: (id, ending = {}) => {
      for (const [run, { id: active_ }] of active) if (active_ === id) active.delete(run);
      for (const listener of listeners(id)) listener.ended({ ...quickEnding, ...ending });
    },
    tellFree: () => onFree(),
    free: () => jobs.slots - active.size,
    onFree: (listener) => {
      onFree = listener;
      return () => {
        onFree = () => undefined;
      };
    },
    start: (request, listener) => {
      if (follow(request, listener)) return 'known';
      if (jobs.free() <= 0) return 'no-slot';
      jobs.started.push(request);
      active.set(key(request), request);
      heard.set(key(request), new Set([listener]));
      return 'started';
    },
    follow,
    unfollow: (run, listener) => void heard.get(key(run))?.delete(listener),
    cancel: (run, reason) => void jobs.cancelled.push(`${run.id} ${run.worker}: ${reason}`),
    running: () => [...active.values()],
  };
  return jobs;
};

const quickEnding: FinishedRequest = {
  jobId: 7,
  result: { kind: 'succeeded', exitCode: 0 },
  ranMs: 5,
  outputBytes: 0,
  outputTail: Buffer.from('tail'),
};

export const brokerAddress = (name: string): BrokerAddress => ({
  id: name,
  endpoint: `tcp://${name}:5555`,
  key: `key of ${name}`,
});

export const welcome = (
  name: string,
  fields: Partial<Extract<ToWorker, { readonly op: 'welcome' }>> = {},
): Extract<ToWorker, { readonly op: 'welcome' }> => ({
  op: 'welcome',
  v: 1,
  broker: name,
  brokers: [brokerAddress(name)],
  heartbeat_ms: 1_000,
  max_message: 1_048_576,
  services: [],
  ...fields,
});

export const requestHead = (
  id: string,
  fields: Partial<Extract<ToWorker, { readonly op: 'request' }>> = {},
): Extract<ToWorker, { readonly op: 'request' }> => ({
  op: 'request',
  id,
  service: 'demoservice',
  plugin: 'command',
  args: {},
  timeout_ms: null,
  chain: [],
  ttl: 8,
  user: 'hp',
  team: 'team1',
  ...fields,
});

/** The worker `team1/demo01`, started, at brokers of memory. */
export const startFakeWorker = (options: Partial<BusWorkerOptions> = {}) => {
  const { connect, links } = fakeBrokers();
  const jobs = fakeJobs();
  const events: WorkerEvent[] = [];
  const worker = new BusWorker({
    ...{ team: 'team1', identity: 'demo01', token: 'secret', instance: 'i1', node: 'web01' },
    ...{ version: '1', jobs, connect },
    brokers: [brokerAddress('one')],
    whyNotAllowed: () => undefined,
    tell: (event) => void events.push(event),
    log: recordingLog(),
    ...options,
  });
  worker.start();
  onTestFinished(() => worker.close());
  return { worker, links, jobs: (options.jobs ?? jobs) as FakeJobs, events };
};

/** As a broker of this name does when the connection is there. */
export const greet = (link: FakeLink, name: string, fields: Parameters<typeof welcome>[1] = {}): void => {
  link.up();
  link.say(welcome(name, fields));
};

/** A ULID. */
export const requestId = (letter: string): RequestId => `01ARZ3NDEKTSV4RRFFQ69G5FA${letter}`;

export type FakeWorker = ReturnType<typeof startFakeWorker>;

/** The newest connection. */
export const newest = ({ links }: Pick<FakeWorker, 'links'>): FakeLink => {
  const link = links.at(-1);
  if (link === undefined) throw new Error('no connection was made');
  return link;
};
