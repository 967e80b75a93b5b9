import { expect, it } from 'vitest';
import { BrokerStage, settled } from '../../support/broker-stage.ts';

it('a broker whose name another one has takes no new request, redirects everybody, and lets running requests finish', async () => {
  const stage = new BrokerStage();
  await stage.worker('w1');
  const client = stage.client('c1');
  stage.clear();
  stage.isRefused = true;
  const other = { id: 'broker-1', endpoint: 'tcp://other:5555', key: 'x' };
  stage.broker.sendAway([other]);
  for (const peer of [client, 'w1']) expect(stage.to(peer, 'goodbye')).toMatchObject([{ brokers: [other] }]);
  stage.clear();
  stage.client('c2');
  stage.say(
    'w2',
    { op: 'ready', v: 1, team: 'team1', identity: 'w1', instance: 'i', node: 'n', version: '1', free: 1 },
    'token',
  );
  await settled();
  for (const peer of ['c2', 'w2']) expect(stage.ops(peer)).toEqual(['refused']);
  stage.isRefused = false;
  stage.clear();
  stage.client('c2');
  expect(stage.ops('c2')).toEqual(['welcome']);
});
