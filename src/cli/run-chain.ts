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

/** The same for a request, which names what led to it by ids alone: of requests, or of firings. */
export const requestChain = (env: NodeJS.ProcessEnv): { chain?: readonly string[]; ttl?: number } => {
  const file = env['TRIGGERD_CONTEXT'];
  if (file === undefined) return {};
  const { chain, ttl, request } = readContext(file);
  if (chain === undefined || typeof ttl !== 'number') return {};
  return { chain: request?.chain ?? chain.map(({ firing }) => firing), ttl };
};

type RunContext = Pick<NewFiringBody, 'chain' | 'ttl'> & { readonly request?: { readonly chain: readonly string[] } };

const readContext = (file: string): RunContext => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunContext;
  } catch (cause) {
    throw new TriggerdError(
      'input-invalid',
      `$TRIGGERD_CONTEXT names ${file}, which can not be read as a run’s context`,
      { cause },
    );
  }
};
