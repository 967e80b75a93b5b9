/** A broker as it is: a daemon of its own with a registry in etcd, and who may ask it. */
import { call } from '../../spec/support/api.ts';
import { freePort } from '../../spec/support/etcd.ts';
import type { TestNode } from '../../spec/support/node.ts';
import type { OwnBrokerView } from '../../src/api/contract.ts';
import type { Answer, Statement } from '../../src/registry/statements.ts';
import type { Bench } from './bench.ts';

const team = 'team1';
const secret = 'correct horse battery';

export interface BenchBroker {
  readonly node: TestNode;
  /** For `Client.connect`. */
  readonly connect: {
    readonly brokers: readonly [{ readonly endpoint: string; readonly key: string }];
    readonly team: string;
    readonly identity: string;
    readonly secret: string;
  };
  registry(statement: Statement): Promise<Answer>;
  /** Makes a worker; gives its token. */
  addWorker(identity: string): Promise<string>;
  /** Makes a service with these workers. */
  addService(name: string, workers: readonly string[]): Promise<void>;
}

export const startBroker = async (bench: Bench): Promise<BenchBroker> => {
  const etcd = await bench.etcd();
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  const config = `[broker]\nlisten = "${endpoint}"\nadvertise = "${endpoint}"\n`;
  const node = await bench.daemon({ name: 'broker', etcd: [etcd.endpoint], config });
  await call(node.socket, 'POST', '/v1/admin/init', { team, identity: 'hp', secret });
  const { key } = await call<OwnBrokerView>(node.socket, 'GET', '/v1/broker');
  const registry = (statement: Statement): Promise<Answer> => call(node.socket, 'POST', '/v1/registry', { statement });
  return {
    node,
    connect: { brokers: [{ endpoint, key }], team, identity: 'hp', secret },
    registry,
    addWorker: async (identity) => {
      const { rows } = await registry({ verb: 'worker.add', team, identity });
      return (rows[0] as { token: string }).token;
    },
    addService: async (name, workers) => {
      await registry({ verb: 'service.add', team, name });
      for (const worker of workers) await registry({ verb: 'service.attach', team, name, worker });
    },
  };
};
