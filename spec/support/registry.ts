import { ulid } from 'ulid';
import { proofOpener, workerTokens } from '../../src/adapters/crypto/proofs.ts';
import { createTokenChecker, issuerWith, newKey, openIssuer } from '../../src/adapters/crypto/tokens.ts';
import type { Log } from '../../src/kit/log.ts';
import { Accounts } from '../../src/registry/accounts.ts';
import type { RegistryLimits } from '../../src/registry/bounds.ts';
import { MirroredRegistry } from '../../src/registry/bus-registry.ts';
import { IssuerPublication } from '../../src/registry/issuer-publication.ts';
import { registryKeysBelow } from '../../src/registry/keys.ts';
import type { Passwords } from '../../src/registry/ports.ts';
import { Proofs } from '../../src/registry/proofs.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { Actor } from '../../src/registry/rules/rule-context.ts';
import type { KeyStore } from '../../src/store/key-store.ts';
import { recordingLog } from './recording-log.ts';

export const local: Actor = { kind: 'local' };
export const password = 'correct horse battery';

/** For what is not about passwords: hashing them costs a core 30 ms each. */
export const plainPasswords: Passwords = {
  hash: async (secret) => `plain ${secret}`,
  verify: async (hash, secret) => hash === `plain ${secret}`,
  pretend: async () => false,
};

export interface TestRegistryOptions {
  readonly store: KeyStore;
  readonly prefix: string;
  readonly passwords?: Passwords;
  readonly clock?: { now(): number };
  readonly log?: Log;
  readonly limits?: RegistryLimits;
  readonly assertSpace?: (bytes: number) => Promise<void>;
  readonly monotonic?: () => number;
  readonly relistMs?: number;
  readonly catchUpMs?: number;
}

export const openRegistry = ({ store, prefix, ...options }: TestRegistryOptions): Registry =>
  new Registry({
    ...options,
    store,
    keys: registryKeysBelow(prefix),
    passwords: options.passwords ?? plainPasswords,
    tokens: workerTokens,
    clock: options.clock ?? { now: () => Date.now() },
    log: options.log ?? recordingLog(),
  });

/** A broker's side of it, as the daemon puts it together; without a file its key is in memory only. */
export const openAccounts = async (
  options: TestRegistryOptions & { readonly broker?: string; readonly keyFile?: string },
) => {
  const { store, prefix, broker = 'broker01', log = recordingLog() } = options;
  const registry = openRegistry(options);
  const clock = options.clock ?? { now: () => Date.now() };
  const issuer =
    options.keyFile === undefined
      ? await issuerWith(await newKey(), 'memory', broker, clock)
      : await openIssuer(options.keyFile, broker, clock);
  const { mirror, passwords } = registry;
  const mirrored = new MirroredRegistry(mirror, clock);
  mirror.start();
  await mirror.ready;
  const publication = new IssuerPublication({
    store,
    keys: registryKeysBelow(prefix),
    mirror,
    issuer,
    broker,
    clock,
    log,
  });
  await publication.ready;
  const accounts = new Accounts({
    registry,
    mirrored,
    passwords,
    tokens: workerTokens,
    issuer,
    checker: createTokenChecker(clock),
    clock,
    log,
  });
  const proofs = new Proofs({ mirrored, issuer, opener: proofOpener, instance: ulid(), clock });
  return {
    registry,
    mirrored,
    accounts,
    proofs,
    issuer,
    close: async () => {
      await publication.close();
      await mirror.stop();
    },
  };
};

export type TestAccounts = Awaited<ReturnType<typeof openAccounts>>;
