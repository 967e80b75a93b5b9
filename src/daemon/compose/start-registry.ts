import { createPasswords } from '../../adapters/crypto/passwords.ts';
import { workerTokens } from '../../adapters/crypto/proofs.ts';
import type { Config } from '../../config/schema.ts';
import { Sweeper } from '../../firings/sweep/sweeper.ts';
import { Upkeep } from '../../firings/sweep/upkeep.ts';
import type { Log } from '../../kit/log.ts';
import { registryKeysBelow } from '../../registry/keys.ts';
import { Registry } from '../../registry/registry.ts';
import type { KeyStore } from '../../store/key-store.ts';
import { clock } from '../clock.ts';
import type { Runtime } from './runtime.ts';

/** The registry as every daemon has it: for whoever may use its control socket. Nothing runs yet. */
export const buildRegistry = (
  store: KeyStore,
  { etcd, registry }: Config,
  assertSpace: (bytes: number) => Promise<void>,
  log: Log,
): Registry =>
  new Registry({
    store,
    keys: registryKeysBelow(etcd.prefix),
    passwords: createPasswords(),
    tokens: workerTokens,
    clock,
    log,
    limits: {
      changes: registry.max_changes,
      changeBytes: registry.max_change_bytes,
      argumentBytes: registry.max_arguments,
      teamBytes: registry.max_team,
    },
    assertSpace,
  });

/** A candidate for the one that keeps etcd tidy, once it is started; undefined if the configuration forbids it. */
export const buildSweeper = ({ options, config, keyspace, maintenance }: Runtime): Sweeper | undefined => {
  if (!config.sweeper.enabled) return undefined;
  return new Sweeper({
    ...keyspace,
    node: options.node,
    everyMs: config.sweeper.interval,
    abandonedMs: config.sweeper.abandoned,
    firingsKept: config.history.firings_keep,
    requestsMaxAgeMs: config.history.requests_max_age,
    requestsSize: config.history.requests_size,
    firingsMaxAgeMs: config.history.firings_max_age,
    upkeep: new Upkeep({
      maintenance,
      mode: config.sweeper.upkeep,
      compactAfterMs: config.sweeper.compact_after,
      log: options.log,
    }),
    clock,
    log: options.log,
  });
};
