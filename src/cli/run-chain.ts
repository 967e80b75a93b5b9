/** What is asked for inside a run goes on with the chain that the run carries, so that loops end. */
import { readFileSync } from 'node:fs';
import type { NewFiringBody } from '../api/contract.ts';
import { TriggerdError } from '../domain/errors.ts';

/** Nothing outside a run, or in a run that no firing has started. Throws `input-invalid` for a context that is not ours. */
export const runChain = (env: NodeJS.ProcessEnv): Pick<NewFiringBody, 'chain' | 'ttl'> => {
  const file = env['TRIGGERD_CONTEXT'];
  if (file === undefined) return {};
  const { chain, ttl } = readContext(file);
  return chain === undefined || typeof ttl !== 'number' ? {} : { chain, ttl };
};

/** The same for a request, which names what led to it by ids alone. */
export const requestChain = (env: NodeJS.ProcessEnv): { chain?: readonly string[]; ttl?: number } => {
  const { chain, ttl } = runChain(env);
  if (chain === undefined || ttl === undefined) return {};
  return { chain: chain.map((link) => (typeof link === 'string' ? link : link.firing)), ttl };
};

const readContext = (file: string): Pick<NewFiringBody, 'chain' | 'ttl'> => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Pick<NewFiringBody, 'chain' | 'ttl'>;
  } catch (cause) {
    throw new TriggerdError(
      'input-invalid',
      `$TRIGGERD_CONTEXT names ${file}, which can not be read as a run’s context`,
      { cause },
    );
  }
};
