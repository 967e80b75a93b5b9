import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import { replaceSecret } from '../files/secret-file.ts';
import { embeddedTlsIn } from './embedded-tls.ts';

/** What a client on this machine has to know besides the certificates. */
export interface EmbeddedClient {
  readonly endpoint: string;
  readonly prefix: string;
  /** Undefined: Puppet’s certname, as everywhere. */
  readonly node: string | undefined;
  readonly spool: string;
  readonly socket: string;
}

const fileIn = (stateDir: string): string => join(stateDir, 'etcd', 'client.json');

/**
 * How Puppet on this machine reaches the embedded etcd, in the form of `/etc/triggerd/client.json`: its provider looks here
 * by itself. Throws `state-unusable`.
 */
export const writeEmbeddedClient = (stateDir: string, { endpoint, ...others }: EmbeddedClient): void => {
  const { ca, client } = embeddedTlsIn(stateDir);
  const settings = { endpoints: [endpoint], ca_file: ca, cert_file: client, key_file: client, ...others };
  try {
    replaceSecret(fileIn(stateDir), `${JSON.stringify(settings, null, 2)}\n`);
  } catch (cause) {
    throw new TriggerdError('state-unusable', `${fileIn(stateDir)}: ${(cause as Error).message}`, { cause });
  }
};

/** An etcd that runs no more must not be looked for. */
export const forgetEmbeddedClient = (stateDir: string): void => rmSync(fileIn(stateDir), { force: true });
