import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { NameMemory } from '../../fleet/names/ports.ts';
import { replaceSecret } from './secret-file.ts';

const document = v.object({
  format: v.literal(1),
  node: v.string(),
  instances: v.pipe(v.array(v.string()), v.maxLength(16)),
  refused_by: v.nullish(v.object({ holder: v.nullable(v.string()) })),
});

/** `name.json` in the state folder. What is not there, of another name or damaged is nothing: the node waits for its name then. */
export const createNameMemory = (stateDir: string): NameMemory => {
  const file = join(stateDir, 'name.json');
  return {
    read: (node) => {
      try {
        const { instances, refused_by, ...of } = v.parse(document, JSON.parse(readFileSync(file, 'utf8')));
        if (of.node === node) return { instances, ...(refused_by ? { refusedBy: refused_by } : {}) };
      } catch {
        // As if it were not there.
      }
      return { instances: [] };
    },
    write: (node, { instances, refusedBy }) => {
      const kept = { format: 1, node, instances: instances.slice(-16), refused_by: refusedBy ?? null };
      try {
        replaceSecret(file, `${JSON.stringify(kept)}\n`);
      } catch (cause) {
        throw new TriggerdError('state-unusable', `${file}: ${(cause as Error).message}`, { cause });
      }
    },
  };
};
