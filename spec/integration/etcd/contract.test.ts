import type { EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { describeKeyStore } from '../../support/keystore-contract.ts';
import { type EtcdPlace, test } from '../../support/test.ts';

let etcd: EtcdPlace;
let store: EtcdStore;
let run = 0;

test.beforeAll(async ({ etcd: place, store: shared }) => {
  etcd = place;
  store = shared;
});

describeKeyStore('etcd', async () => ({ store, prefix: `${etcd.prefix}/${run++}/` }));
