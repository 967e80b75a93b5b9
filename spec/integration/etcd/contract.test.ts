import { afterAll } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { describeKeyStore } from '../../support/keystore-contract.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { type EtcdPlace, test } from '../../support/test.ts';

let etcd: EtcdPlace;
let store: EtcdStore;
let run = 0;

test.beforeAll(async ({ etcd: place }) => {
  etcd = place;
  store = connect({ endpoints: [etcd.endpoint], log: recordingLog() });
});
afterAll(async () => {
  await store?.close();
});

describeKeyStore('etcd', async () => ({ store, prefix: `${etcd.prefix}/${run++}/` }));
