import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { root } from './node.ts';

export interface Example {
  readonly full_description: string;
  readonly file_path: string;
  readonly line_number: number;
  readonly status: 'passed' | 'failed' | 'pending';
  readonly exception?: { readonly class: string; readonly message: string };
}

/** Runs the Puppet module's suite, or what `options` choose of it. */
export const runRspec = async (...options: string[]): Promise<{ examples: readonly Example[]; output: string }> => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-rspec-'));
  const file = join(folder, 'report.json');
  try {
    const { all } = await execa('rspec', ['--format', 'json', '--out', file, '--format', 'progress', ...options], {
      cwd: join(root, 'puppet-module'),
      reject: false,
      all: true,
    });
    return { examples: JSON.parse(readFileSync(file, 'utf8')).examples as Example[], output: all };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
