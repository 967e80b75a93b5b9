import { afterAll, describe, expect } from 'vitest';
import type { BrokerView } from '../../../src/api/contract/brokers.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { createNode, type TestNode } from '../../support/node.ts';
import { test } from '../../support/test.ts';
import { until } from '../../support/wait.ts';

describe('a daemon whose broker listens on port 0', () => {
  let node: TestNode;

  test.beforeAll(async ({ etcd }) => {
    // Its name is where others are told to connect.
    node = createNode({
      name: 'localhost',
      etcd,
      watch: 'enabled = false',
      config: '[broker]\nlisten = "tcp://127.0.0.1:0"\n',
    });
    await node.start();
  });
  afterAll(() => node?.remove());

  test('a broker that listens on port 0 publishes the kernel’s port in etcd, `broker list` and `doctor`', async ({
    store,
    etcd,
  }) => {
    const [listed] = await until(async () => {
      const brokers = await node.json<BrokerView[]>('broker', 'list');
      return brokers.length > 0 ? brokers : undefined;
    }, 'the broker to be listed');
    const port = Number(/^tcp:\/\/localhost:(\d+)$/.exec(listed?.endpoint ?? '')?.[1]);
    expect(port).toBeGreaterThan(0);
    const stored = await store.get(`${etcd.prefix}/v1/brokers/localhost`);
    expect(JSON.parse(stored?.value ?? '{}')).toMatchObject({ endpoint: listed?.endpoint });
    const { stdout } = await node.trigger('doctor', '--only', 'broker', '--json');
    expect(JSON.parse(stdout) as Finding[]).toMatchObject([
      { state: 'fine', what: `tcp://127.0.0.1:${port} accepts connections` },
    ]);
  });
});
