/**
 * The Puppet module's own suite (rspec-puppet, real `puppet apply`, real etcd), one vitest test for each example, so that
 * `npm test` ends with one count.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { root } from '../support/node.ts';

interface Example {
  readonly full_description: string;
  readonly file_path: string;
  readonly line_number: number;
  readonly status: 'passed' | 'failed' | 'pending';
  readonly exception?: { readonly class: string; readonly message: string };
}

const runRspec = async (): Promise<{ examples: readonly Example[]; output: string }> => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-rspec-'));
  const file = join(folder, 'report.json');
  try {
    const { all } = await execa('rspec', ['--format', 'json', '--out', file, '--format', 'progress'], {
      cwd: join(root, 'puppet-module'),
      reject: false,
      all: true,
    });
    return { examples: JSON.parse(readFileSync(file, 'utf8')).examples as Example[], output: all };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const { examples, output } = await runRspec();

describe('the Puppet module', () => {
  it('has examples, and rspec could load all of them', () => {
    expect(examples.length, output).toBeGreaterThan(100);
    expect(output).not.toMatch(/error.? occurred outside of examples/);
  });

  it.each(
    examples.map(
      (example) => [`${example.full_description} (${example.file_path}:${example.line_number})`, example] as const,
    ),
  )('%s', (_name, { status, exception }) => {
    expect(status, exception && `${exception.class}: ${exception.message}`).toBe('passed');
  });
});
