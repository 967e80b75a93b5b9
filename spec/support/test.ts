import { test as base } from 'vitest';
import { connect, type EtcdStore } from '../../src/adapters/etcd/connect.ts';
import { startEtcd } from './etcd.ts';
import { recordingLog } from './recording-log.ts';

/** Where a file's keys are: one etcd serves all files of a worker, and each has a prefix of its own. */
export interface EtcdPlace {
  readonly endpoint: string;
  readonly prefix: string;
}

let files = 0;

/**
 * vitest's `test` with what most files share. `test.beforeAll(async ({ etcd }) => …)` gives it to a file whose daemons live as
 * long as the file. Who stops, freezes, fills or compacts an etcd starts one (`startEtcd`), as does who needs TLS or passwords.
 */
export const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern what a fixture needs
  .extend('etcdServer', { scope: 'worker' }, async ({}, { onCleanup }) => {
    const server = await startEtcd();
    onCleanup(() => server.stop());
    return server;
  })
  .extend('etcd', { scope: 'file' }, ({ etcdServer }): EtcdPlace => {
    files += 1;
    return { endpoint: etcdServer.endpoint, prefix: `/file${files}` };
  })
  .extend('store', { scope: 'file' }, async ({ etcd }, { onCleanup }): Promise<EtcdStore> => {
    const store = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 60_000, log: recordingLog() });
    onCleanup(() => store.close());
    return store;
  });
