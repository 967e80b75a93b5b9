import { createPasswords } from '../../adapters/crypto/passwords.ts';
import { workerTokens } from '../../adapters/crypto/proofs.ts';
import type { Config } from '../../config/schema.ts';
import type { Log } from '../../kit/log.ts';
import { registryKeysBelow } from '../../registry/keys.ts';
import { Registry } from '../../registry/registry.ts';
import type { KeyStore } from '../../store/key-store.ts';
import { clock } from '../clock.ts';

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
