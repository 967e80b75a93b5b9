import { join } from 'node:path';
import { ulid } from 'ulid';
import { proofOpener } from '../../adapters/crypto/proofs.ts';
import { createTokenChecker, openIssuer } from '../../adapters/crypto/tokens.ts';
import { workerTokens } from '../../adapters/crypto/worker-tokens.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { Accounts } from '../../registry/accounts.ts';
import type { BusAccounts, BusProofs, BusRegistry } from '../../registry/bus-ports.ts';
import { MirroredRegistry } from '../../registry/bus-registry.ts';
import { IssuerPublication } from '../../registry/issuer-publication.ts';
import { registryKeysBelow } from '../../registry/keys.ts';
import { Proofs } from '../../registry/proofs.ts';
import { clock } from '../clock.ts';
import type { Runtime } from './runtime.ts';

/**
 * The registry as a broker needs it: kept current in memory, and able to tell who is who. `broker` is its id. Resolves
 * once it has been read, or etcd is known to be away. Throws `state-unusable`.
 */
export const startAccounts = async (
  { state, registry, keyspace, config, name, options: { log } }: Runtime,
  broker: string,
  releasers: Releasers,
): Promise<{ readonly registry: BusRegistry; readonly accounts: BusAccounts; readonly proofs: BusProofs }> => {
  const issuer = await openIssuer(join(state.path, 'broker', 'jwt.json'), broker, clock);
  const { mirror } = registry;
  const mirrored = new MirroredRegistry(mirror, clock);
  mirror.start();
  releasers.push('registry', () => mirror.stop());
  await mirror.ready;
  const keys = registryKeysBelow(config.etcd.prefix);
  const publication = new IssuerPublication({ store: keyspace.store, keys, mirror, name, issuer, broker, clock, log });
  releasers.push('token key', () => publication.close());
  // Without etcd there is nothing to wait for: nobody can log in until it is back.
  if (mirror.state !== undefined) await publication.ready;
  const accounts = new Accounts({
    registry,
    mirrored,
    passwords: registry.passwords,
    tokens: workerTokens,
    issuer,
    checker: createTokenChecker(clock),
    clock,
    log,
  });
  const proofs = new Proofs({ mirrored, issuer, opener: proofOpener, instance: ulid(), clock });
  return { registry: mirrored, accounts, proofs };
};
