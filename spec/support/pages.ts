import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node.ts';

/** Every page of the project, by its path; also those that are not committed yet. */
export const pages: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: root, encoding: 'utf8' },
)
  .trim()
  .split('\n')
  .filter((path) => existsSync(join(root, path)));

export const readPage = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The fenced blocks of a page in this language, as they stand between the fences, without the indentation of a list. */
export const blocksOf = (path: string, language: string): string[] =>
  [...readPage(path).matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\`$`, 'gm'))].map(
    ([, indent = '', text = '']) => text.replace(new RegExp(`^${indent}`, 'gm'), ''),
  );
