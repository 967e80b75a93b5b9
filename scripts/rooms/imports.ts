import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/** That one file of `src/` names another one, for values or types, also where it does so while running. Paths from `src/`. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

const named = /\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

/** Every import between the sources below `folder`. */
export const importsBelow = (folder: string): Import[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort()
    .flatMap((from) =>
      [...readFileSync(join(folder, from), 'utf8').matchAll(named)].map(([, path = '']) => ({
        from,
        to: normalize(join(dirname(from), path)),
      })),
    );

/** The first folder of a path. */
export const roomOf = (file: string): string => relative('.', file).split('/')[0] ?? '';
