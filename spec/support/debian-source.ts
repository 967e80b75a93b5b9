import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** A file of a Debian source package. */
export interface SourceFile {
  readonly package: string;
  readonly version: string;
  /** The upstream tarball, with its SHA-256, and the file in it. */
  readonly tarball: string;
  readonly sha256: string;
  readonly file: string;
}

/**
 * Downloads the file with an apt of its own, so that nothing of the machine's apt is changed; needs the network. apt checks the
 * archive's signature. Throws when the tarball is another one.
 */
export const debianSourceFile = async (wanted: SourceFile): Promise<string> => {
  const dir = mkdtempSync(join(tmpdir(), 'triggerd-source-'));
  try {
    for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(dir, folder), { recursive: true });
    const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
    writeFileSync(join(dir, 'list'), `deb-src [signed-by=${key}] http://deb.debian.org/debian bookworm main\n`);
    const places = {
      'Dir::Etc::SourceList': 'list',
      'Dir::Etc::SourceParts': 'none',
      'Dir::State::Lists': 'lists',
      'Dir::Cache': 'cache',
    };
    const options = Object.entries(places).flatMap(([key, name]) => ['-o', `${key}=${join(dir, name)}`]);
    const apt = (...words: string[]) =>
      execa('apt-get', ['-qq', ...options, '-o', 'APT::Sandbox::User=root', ...words], { cwd: dir });
    await apt('update');
    await apt('source', '--download-only', `${wanted.package}=${wanted.version}`);
    const tarball = join(dir, wanted.tarball);
    const sum = createHash('sha256').update(readFileSync(tarball)).digest('hex');
    if (sum !== wanted.sha256) throw new Error(`${wanted.tarball} has the SHA-256 ${sum}, not ${wanted.sha256}`);
    return (await execa('tar', ['-xOf', tarball, wanted.file])).stdout;
  } finally {
    rmSync(dir, { recursive: true });
  }
};
