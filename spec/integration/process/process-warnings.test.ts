import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

it('warnings of Node.js are lines of the log, and nothing else goes to stderr', async () => {
  const script = `
    import { createLog } from '${root}/src/adapters/log/log.ts';
    import { logProcessWarnings } from '${root}/src/adapters/log/process-warnings.ts';
    logProcessWarnings(createLog({ level: 'info', format: 'json', node: 'n', isTerminal: false }));
    process.emitWarning('old\\nways', 'DeprecationWarning', 'DEP9999');
    process.emitWarning('of no interest', 'DeprecationWarning', 'DEP0123');`;
  const { stderr } = await execa(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: root,
  });
  const lines = stderr.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toEqual([expect.objectContaining({ level: 40, warning: 'DeprecationWarning', code: 'DEP9999' })]);
  expect(lines[0]?.['msg']).toBe('old\nways');
});
