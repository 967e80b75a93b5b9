import { chainOfRun } from '../domain/chain.ts';
import type { Job } from '../domain/job.ts';
import type { FiringLog } from '../queue/ports.ts';
import { liveFirings } from '../watch/ended-elsewhere.ts';
import { serializeFiring } from '../watch/wire.ts';

/**
 * The document that `TRIGGERD_CONTEXT` names, for plugins that want to know why they run, and for what they publish
 * themselves: `{ format: 1, node, job: { id, attempt, source, noop }, chain, ttl, firings: [the firings as in etcd] }`.
 * `chain` and `ttl` are what a firing published inside this run takes over.
 */
export const contextDocument = (node: string, firings: Pick<FiringLog, 'ofJob'>, job: Job): string => {
  const { id, attempt, request } = job;
  const owed = liveFirings(firings, id).map(({ firing }) => firing);
  const facts = { id, attempt, source: request.source, noop: request.noop };
  const head = JSON.stringify({ format: 1, node, job: facts, ...chainOfRun(owed, node) });
  return `${head.slice(0, -1)},"firings":[${owed.map(serializeFiring).join(',')}]}\n`;
};
