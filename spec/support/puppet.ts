import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { placeOf, root } from './node.ts';
import type { EtcdPlace } from './test.ts';

/** A Puppet of its own: nothing outside its folder is read or written. */
export interface TestPuppet {
  readonly dir: string;
  /** A program `puppet`, for `run_cmd`: Debian's in a process forked from one that has loaded it. Debian's own is `/usr/bin/puppet`. */
  readonly program: string;
  /** Options that keep Puppet inside the folder; for `run_cmd`. */
  readonly options: readonly string[];
  /** Writes a manifest and returns its path. */
  manifest(name: string, text: string): string;
  apply(manifest: string, ...options: string[]): Promise<{ exitCode: number | undefined; output: string }>;
  remove(): void;
}

/** `settings` go into client.json. */
export const createPuppet = (
  certname: string,
  etcd: readonly string[] | EtcdPlace,
  settings: Readonly<Record<string, string>> = {},
): TestPuppet => {
  const dir = mkdtempSync(join(tmpdir(), 'triggerd-puppet-'));
  for (const folder of ['bin', 'modules', 'conf', 'manifests']) mkdirSync(join(dir, folder));
  cacheFacts(join(dir, 'yaml/facts'), certname);
  const program = join(dir, 'bin/puppet');
  writeFileSync(program, programText, { mode: 0o755 });
  symlinkSync(join(root, 'puppet-module'), join(dir, 'modules/trigger'));
  const client = join(dir, 'client.json');
  const known = { ...placeOf(etcd), node: certname, spool: join(dir, 'spool') };
  writeFileSync(client, JSON.stringify({ ...known, ...settings }));
  const options = [
    '--confdir',
    join(dir, 'conf'),
    '--vardir',
    join(dir, 'var'),
    '--publicdir',
    join(dir, 'public'),
    '--rundir',
    join(dir, 'run'),
    // Debian's default is one folder for all, with a lock in it.
    '--ssldir',
    join(dir, 'ssl'),
    '--certname',
    certname,
    '--facts_terminus',
    'yaml',
    '--clientyamldir',
    join(dir, 'yaml'),
    '--modulepath',
    join(dir, 'modules'),
  ];
  return {
    dir,
    program,
    options,
    manifest: (name, text) => {
      const path = join(dir, 'manifests', name);
      writeFileSync(path, text);
      return path;
    },
    apply: async (manifest, ...more) => {
      const args = ['apply', ...options, '--detailed-exitcodes', '--color', 'false', ...more, manifest];
      const { exitCode, all } = await execa(program, args, {
        reject: false,
        all: true,
        env: { TRIGGERD_CLIENT_JSON: client, LANG: 'C.UTF-8' },
      });
      return { exitCode, output: all };
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
};

// A job has an environment of its own, so the place of the server is in the program. Without a server it is Debian's.
const programText = `#!/usr/bin/ruby --disable=gems,did_you_mean,error_highlight
ENV['TRIGGERD_SPEC_PUPPET'] ||= '${process.env['TRIGGERD_SPEC_PUPPET'] ?? ''}'
load '${join(root, 'spec/support/puppet/client.rb')}'
`;

/** Two fifths of a run of Puppet are Facter's: here Puppet has its facts from its own cache. The module's own facts are not there. */
const cacheFacts = (folder: string, certname: string): void => {
  mkdirSync(folder, { recursive: true });
  const facts = readFileSync(join(root, 'spec/fixtures/puppet/facts.yaml'), 'utf8');
  writeFileSync(join(folder, `${certname}.yaml`), facts.replaceAll('NODE', certname));
};
