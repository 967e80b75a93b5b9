/**
 * The Puppet module's own suite (rspec-puppet, real `puppet apply`, real etcd), one vitest test for each example, so that
 * `npm test` ends with one count.
 */
import { describe, expect, it } from 'vitest';
import { runRspec } from '../support/rspec.ts';

const { examples, output } = await runRspec();

describe('the Puppet module', () => {
  it('rspec could load every example of the Puppet module', () => {
    expect(examples.length, output).toBeGreaterThan(100);
    expect(output).not.toMatch(/error.? occurred outside of examples/);
  });

  it.each(
    examples.map(
      (example) => [`${example.full_description} (${example.file_path}:${example.line_number})`, example] as const,
    ),
  )('the example of the Puppet module passes: %s', (_name, { status, exception }) => {
    expect(status, exception && `${exception.class}: ${exception.message}`).toBe('passed');
  });
});
