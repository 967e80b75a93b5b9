import type { Job } from '../domain/job.ts';
import type { FiringLog } from '../queue/ports.ts';
import { serializeFiring } from '../watch/wire.ts';

/**
 * The document that `TRIGGERD_CONTEXT` names, for plugins that want to know why they run:
 * `{ format: 1, node, job: { id, attempt, source, noop }, firings: [the firings as in etcd] }`.
 */
export const contextDocument = (node: string, firings: Pick<FiringLog, 'ofJob'>, job: Job): string => {
  const { id, attempt, request } = job;
  const documents = firings.ofJob(id).map(({ firing }) => serializeFiring(firing));
  const facts = JSON.stringify({ id, attempt, source: request.source, noop: request.noop });
  return `{"format":1,"node":${JSON.stringify(node)},"job":${facts},"firings":[${documents.join(',')}]}\n`;
};
