import { afterAll, beforeAll } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { describeKeyStore } from '../../support/keystore-contract.ts';
import { recordingLog } from '../../support/recording-log.ts';

let etcd: TestEtcd;
let store: EtcdStore;
let run = 0;

beforeAll(async () => {
  etcd = await startEtcd();
  store = connect({ endpoints: [etcd.endpoint], log: recordingLog() });
});
afterAll(async () => {
  await store?.close();
  await etcd?.stop();
});

describeKeyStore('etcd', async () => ({ store, prefix: `/test/${run++}/` }));
