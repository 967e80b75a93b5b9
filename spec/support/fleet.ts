import { connect, type EtcdStore } from '../../src/adapters/etcd/connect.ts';
import { type Keys, type Keyspace, keysBelow } from '../../src/store/keys.ts';
import { check, type FaultRecord, type Promises, type Violation } from './checker.ts';
import { startCluster, startEtcd, type TestEtcd } from './etcd.ts';
import { createNode, type TestNode } from './node.ts';
import { startProxy, type TcpProxy } from './proxy.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { recordingLog } from './recording-log.ts';
import { until } from './wait.ts';

/** Real daemons on a real etcd, with a proxy on each link between them, and a recorder. */
export interface Fleet {
  readonly etcd: readonly TestEtcd[];
  readonly nodes: readonly FleetNode[];
  readonly recorder: Recorder;
  /** For producers: straight to etcd. */
  readonly keyspace: Keyspace & { readonly store: EtcdStore; readonly keys: Keys };
  /** Publishes to these nodes (default: all) and writes it down. */
  fire(key: string, options?: { targets?: readonly string[]; ms?: number; giveUpMs?: number }): Promise<string>;
  /** Waits until nothing is owed any more. */
  settled(timeoutMs?: number): Promise<void>;
  /** The record so far, with the daemons' logs as text. */
  record(): Promise<FaultRecord>;
  /** Waits until nothing is owed; gives the violations. */
  verdict(promises?: Promises, timeoutMs?: number): Promise<Violation[]>;
  remove(): Promise<void>;
}

export interface FleetNode extends TestNode {
  /** The links to etcd's members, in their order. */
  readonly links: readonly TcpProxy[];
}

export interface FleetOptions {
  readonly nodes?: number;
  readonly members?: 1 | 3;
  readonly config?: string;
  readonly etcdArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of each node, for each request to etcd. */
  readonly requestTimeout?: string;
  /** Before the daemon's first start. */
  readonly prepare?: (node: TestNode) => void;
}

export const startFleet = async ({
  nodes: count = 1,
  members = 1,
  config = '',
  etcdArgs = [],
  ...special
}: FleetOptions = {}): Promise<Fleet> => {
  const etcd = members === 1 ? [await startEtcd({ args: etcdArgs })] : await startCluster();
  const recorder = createRecorder();
  const [first = '', ...rest] = etcd.map(({ endpoint }) => endpoint);
  const store = connect({ endpoints: [first, ...rest], requestTimeoutMs: 10_000, log: recordingLog() });
  const keys = keysBelow('/trigger');
  const keyspace = { store, keys };
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      startFleetNode(`node${index + 1}`, etcd, recorder, { config, ...special }),
    ),
  );
  const names = nodes.map(({ name }) => name);
  const owed = async (): Promise<number> => (await store.list(keys.inboxes('x').replace(/x\/$/, ''))).entries.length;

  const settled = async (timeoutMs = 90_000): Promise<void> => {
    await until(
      () =>
        owed().then(
          (n) => n === 0,
          () => false,
        ),
      'everything owed to be answered',
      timeoutMs,
    );
  };
  const record = async (): Promise<FaultRecord> => {
    for (const node of nodes) recorder.text(JSON.stringify(node.log()));
    return recorder.record(keyspace);
  };
  return {
    etcd,
    nodes,
    recorder,
    keyspace,
    fire: async (key, { targets = names, ms = 0, giveUpMs } = {}) =>
      (await recorder.submit(keyspace, { targets, key, ms }, giveUpMs)).id,
    settled,
    record,
    verdict: async (promises = {}, timeoutMs = 90_000) => {
      // What is still owed then is a violation that the checker names.
      await settled(timeoutMs).catch(() => undefined);
      return check(await record(), promises);
    },
    remove: async () => {
      // Whatever fails here, no etcd is left behind.
      try {
        await Promise.all(nodes.map((node) => removeNode(node)));
      } finally {
        await store.close();
        await Promise.all(etcd.map((member) => member.stop()));
        recorder.remove();
      }
    },
  };
};

const startFleetNode = async (
  name: string,
  etcd: readonly TestEtcd[],
  recorder: Recorder,
  { config = '', env = {}, requestTimeout = '2s', prepare = () => undefined }: FleetOptions,
): Promise<FleetNode> => {
  const links = await Promise.all(etcd.map(({ ports }) => startProxy(ports.client)));
  const node = createNode({
    name,
    etcd: links.map(({ port }) => `http://127.0.0.1:${port}`),
    watch: 'run_cmd = "true"\nallow = ["record"]',
    plugins: recorder.plugins,
    config,
    env,
    requestTimeout,
  });
  prepare(node);
  await node.start();
  return { ...node, links };
};

const removeNode = async (node: FleetNode): Promise<void> => {
  node.signal('SIGCONT');
  await node.remove();
  await Promise.all(node.links.map((link) => link.close()));
};

/** Forgets the past of etcd, so that every watcher who needs it must list. When it resolves its space is free. */
export const compact = async (etcd: TestEtcd, revision: bigint): Promise<void> => {
  await fetch(`${etcd.endpoint}/v3/kv/compaction`, {
    method: 'POST',
    body: JSON.stringify({ revision: String(revision), physical: true }),
    signal: AbortSignal.timeout(30_000),
  });
};
