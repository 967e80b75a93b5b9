import { createPrivateKey, X509Certificate } from 'node:crypto';
import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Certificate, CertificateFiles, FileFacts, Machine } from '../../doctor/ports.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { readConfiguredFile } from '../files/configured-file.ts';
import { baseEnvironment } from './base-env.ts';
import { holdersOfDeadMounts } from './dead-mounts.ts';
import { nameIn } from './file-access.ts';
import { isMissing } from './is-missing.ts';

/** Puppet alone takes some seconds to say its version, many of them where it runs at this moment. */
const patienceMs = 60_000;

/** This machine, as `trigger doctor` looks at it. */
export const thisMachine: Machine = {
  get uid() {
    return process.getuid?.() ?? 0;
  },
  file: async (path) => {
    const found = await stat(path).catch(unlessMissing);
    if (found === undefined) return undefined;
    const { mode, uid, gid } = found;
    const names = { owner: nameIn('/etc/passwd', uid), group: nameIn('/etc/group', gid) };
    return { kind: kindOf(found), mode: mode & 0o7777, uid, ...names };
  },
  names: async (folder) => (await readdir(folder).catch(unlessMissing)) ?? [],
  disk: async (folder) => {
    const found = await statfs(folder).catch(unlessMissing);
    if (found === undefined) return { state: 'absent' };
    const why = await writingFails(folder);
    return why === undefined
      ? { state: 'writable', freeBytes: found.bavail * found.bsize }
      : { state: 'unwritable', why };
  },
  certificate: readCertificate,
  firstLine: async (program, args) => {
    const asked = await execa(program, args, {
      env: baseEnvironment(),
      extendEnv: false,
      reject: false,
      timeout: patienceMs,
      maxBuffer: 65_536,
      all: true,
    });
    const line = asked.failed ? undefined : asked.all.split('\n')[0]?.trim();
    return line === '' ? undefined : line;
  },
  holdersOfDeadMounts: () => holdersOfDeadMounts(),
  accepts: (host, port) =>
    new Promise((resolve) => {
      const connection = connect({ host, port, timeout: 3_000 });
      const end = (accepted: boolean) => {
        connection.destroy();
        resolve(accepted);
      };
      connection.once('connect', () => end(true));
      connection.once('error', () => end(false));
      connection.once('timeout', () => end(false));
    }),
};

const unlessMissing = (error: NodeJS.ErrnoException): undefined => {
  if (isMissing(error)) return undefined;
  throw new TriggerdError('state-unusable', error.message, { cause: error });
};

/** Many a disk takes what cannot be written, and says so when it is to be kept. */
const writingFails = async (folder: string): Promise<string | undefined> => {
  const path = join(folder, `.doctor-${process.pid}`);
  try {
    const file = await open(path, 'wx', 0o600);
    await file
      .writeFile('x'.repeat(4_096))
      .then(() => file.sync())
      .finally(() => file.close());
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await rm(path, { force: true }).catch(() => undefined); // where it could not be made, it cannot be removed
  }
};

const kindOf = (found: Awaited<ReturnType<typeof stat>>): FileFacts['kind'] => {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'folder';
  if (found.isSocket()) return 'socket';
  return found.isCharacterDevice() || found.isBlockDevice() ? 'device' : 'other';
};

async function readCertificate({ cert, key, ca }: CertificateFiles): Promise<Certificate> {
  const pem = (file: string): Buffer => readConfiguredFile(null, file).content;
  const own = new X509Certificate(pem(cert));
  const privateKey = key === undefined ? undefined : createPrivateKey(pem(key));
  const issuer = ca === undefined ? undefined : new X509Certificate(pem(ca));
  return {
    subject: own.subject.replaceAll('\n', ', '),
    validFrom: Date.parse(own.validFrom),
    validTo: Date.parse(own.validTo),
    belongsToKey: privateKey === undefined ? null : own.checkPrivateKey(privateKey),
    isIssuedByCa: issuer === undefined ? null : own.verify(issuer.publicKey),
  };
}
