/** The slow examples of the Puppet module's own suite: those with the tag `acceptance`. */
import { describe, expect, it } from 'vitest';
import { runRspec } from '../support/rspec.ts';

const { examples, output } = await runRspec('--tag', 'acceptance');

describe('the Puppet module, slowly', () => {
  it('has such examples, and rspec could load all of them', () => {
    expect(examples.length, output).toBeGreaterThan(5);
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
