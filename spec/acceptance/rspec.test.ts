/** The slow examples of the Puppet module's own suite: those with the tag `acceptance`. */
import { describe, expect, it } from 'vitest';
import { runRspec } from '../support/rspec.ts';

const { examples, output } = await runRspec('--tag', 'acceptance');

describe('the Puppet module, slowly', () => {
  it('rspec could load every slow example of the Puppet module', () => {
    expect(examples.length, output).toBeGreaterThan(5);
    expect(output).not.toMatch(/error.? occurred outside of examples/);
  });

  it.each(
    examples.map(
      (example) => [`${example.full_description} (${example.file_path}:${example.line_number})`, example] as const,
    ),
  )('the slow example of the Puppet module passes: %s', (_name, { status, exception }) => {
    expect(status, exception && `${exception.class}: ${exception.message}`).toBe('passed');
  });
});
