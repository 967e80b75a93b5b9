import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quietPeers, startTestBroker, type TestBroker } from '../../support/bus.ts';
import { client, requestFor, succeeded, type TestClient, type TestWorker, worker } from '../../support/peers.ts';
import { until } from '../../support/wait.ts';

describe('a request through a real broker', () => {
  let at: TestBroker;
  let asking: TestClient;
  let working: TestWorker;

  beforeAll(async () => {
    at = await startTestBroker({ limits: quietPeers });
    at.registry.worker('team1', 'demo01').service('team1', 'demo', ['demo01']);
    working = await worker(at.address);
    asking = await client(at.address);
  });
  afterAll(async () => {
    await asking.close();
    await working.close();
    await at.broker.stop();
  });

  it('a request through a real broker reaches the worker, and its output and result come back', async () => {
    const request = requestFor('demo', { args: { path: '/tmp' } });
    asking.say(request, 'uptime');
    const got = await working.hears('request');
    expect(got).toMatchObject({
      id: request.id,
      user: 'user1',
      team: 'team1',
      service: 'demo',
      plugin: 'echo',
      body: 'uptime',
    });
    expect(got.args).toEqual({ path: '/tmp' });
    expect(got.timeout_ms).toBeGreaterThan(299_000);
    working.say({ op: 'partial', id: request.id, stream: 'out', offset: 0 }, 'up 3 days\n');
    await asking.hears('partial');
    asking.say({ op: 'ack', id: request.id, worker: 'demo01', bytes: 10 });
    await working.hears('ack');
    working.say(succeeded(request.id, { output_bytes: 10 }), 'up 3 days\n');
    await asking.hears('final');
    expect(asking.heard.map(({ op }) => op).filter((op) => op !== 'heartbeat')).toEqual([
      'welcome',
      'dispatched',
      'partial',
      'final',
    ]);
    expect(asking.of('dispatched')).toMatchObject([{ id: request.id, worker: 'demo01', algorithm: 'roundrobin' }]);
    expect(asking.of('partial')).toMatchObject([{ worker: 'demo01', offset: 0, body: 'up 3 days\n' }]);
    expect(asking.of('final')).toMatchObject([{ result: 'succeeded', exit_code: 0, output_bytes: 10 }]);
    await until(() => at.records.length === 1, 'the record');
    expect(at.records[0]?.legs[0]).not.toHaveProperty('output_tail_base64');
    expect(at.records[0]).toMatchObject({
      id: request.id,
      user: 'user1',
      service: 'demo',
      command: 'uptime',
      result: 'succeeded',
      legs: [{ worker: 'demo01', node: 'node1', job_id: 1, output_tail: 'up 3 days\n' }],
    });
  });

  it('a request’s record keeps the bytes of an output that is not UTF-8', async () => {
    const { id } = requestFor('demo');
    asking.say({ ...requestFor('demo'), id }, 'x');
    await until(() => working.of('request').some((request) => request.id === id), 'the request');
    working.say(succeeded(id, { output_bytes: 5 }), Buffer.from('caf\xe9\n', 'latin1'));
    await until(() => at.records.some((record) => record.id === id), 'the record');
    const record = at.records.find((each) => each.id === id);
    expect(record?.legs).toMatchObject([{ output_tail: 'caf\ufffd\n', output_tail_base64: 'Y2Fm6Qo=' }]);
  });
});
