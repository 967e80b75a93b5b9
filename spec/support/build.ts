import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Vitest's global setup: compiles `src` to `dist` when something there is newer. */
export default (): void => {
  if (newest(join(root, 'src'), '.ts') <= newest(join(root, 'dist'), '.js')) return;
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], {
      cwd: root,
    });
  } catch (thrown) {
    // Type errors are `npm run check`'s business: tsc writes the files all the same.
    if (!existsSync(join(root, 'dist'))) throw thrown;
  }
};

const newest = (folder: string, suffix: string): number =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(suffix))
        .reduce((latest, name) => Math.max(latest, statSync(join(folder, name)).mtimeMs), 0)
    : 0;
