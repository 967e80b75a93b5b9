/** What is asked for inside a run continues with the chain that the run carries, so that loops end. */
import { readFileSync } from 'node:fs';
import type { NewFiringBody } from '../../api/contract/firings.ts';
import type { RequestOptions } from '../../client/client.ts';
import { TriggerdError } from '../../domain/errors.ts';

/** Nothing outside a run, or in a run that no firing has started. Throws `input-invalid` for a context that is not ours. */
export const runChain = (env: NodeJS.ProcessEnv): Pick<NewFiringBody, 'chain' | 'ttl'> => {
  const file = env['TRIGGERD_CONTEXT'];
  if (file === undefined) return {};
  const { chain, ttl } = readContext(file);
  return chain === undefined || typeof ttl !== 'number' ? {} : { chain, ttl };
};

/**
 * The same for a request, which names what led to it by ids alone: of requests, or of firings. In the job of a request it
 * is asked for on behalf of whoever asked for the job, unless the plugin's manifest says that the machine asks for itself.
 * Throws `input-invalid`, and `proof-missing` for a job of a request that has no proof of who asked for it.
 */
export const requestChain = (env: NodeJS.ProcessEnv): RequestChain => {
  const file = env['TRIGGERD_CONTEXT'];
  if (file === undefined) return outsideOfRun(env);
  const { chain, ttl, request } = readContext(file);
  const isKnown = chain !== undefined && typeof ttl === 'number';
  const ids = isKnown ? { chain: request?.chain ?? chain.map(({ firing }) => firing), ttl } : {};
  if (request === undefined) return ids;
  return env['TRIGGERD_ACTS_AS'] === 'machine' ? { ...ids, own: true } : { ...ids, proof: readProof(env) };
};

type RequestChain = Pick<RequestOptions, 'chain' | 'ttl' | 'proof' | 'own'>;

/** In a process that does many jobs nobody can tell which one this is for. */
const outsideOfRun = (env: NodeJS.ProcessEnv): RequestChain => {
  if (env['TRIGGERD_ACTS_AS'] === 'asker') throw missing('a plugin of mode persistent has none');
  return {};
};

const readProof = (env: NodeJS.ProcessEnv): string => {
  const file = env['TRIGGERD_PROOF'];
  if (file === undefined) throw missing('the worker or its broker is older');
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw missing(`${file} cannot be read`, cause);
  }
};

const missing = (why: string, cause?: unknown): TriggerdError =>
  new TriggerdError('proof-missing', `there is no proof of this job’s user: ${why}`, { cause });

type RunContext = Pick<NewFiringBody, 'chain' | 'ttl'> & { readonly request?: { readonly chain: readonly string[] } };

const readContext = (file: string): RunContext => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunContext;
  } catch (cause) {
    throw new TriggerdError('input-invalid', `$TRIGGERD_CONTEXT names ${file}, which is not the context of a run`, {
      cause,
    });
  }
};
