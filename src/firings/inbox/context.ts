import { chainOfRun } from '../../domain/chain.ts';
import type { Firing } from '../../domain/firing.ts';
import type { Job, JobRequest, RequestOrigin } from '../../domain/job.ts';
import type { FiringLog } from '../../queue/ports/journal.ts';
import { serializeFiring } from '../wire/firing.ts';
import { liveFirings } from './ended-elsewhere.ts';

/** A run may satisfy any number of firings; what the document tells of them has an end. */
const maxFirings = 100;
const maxBytes = 1_048_576;

/**
 * The document that `TRIGGERD_CONTEXT` names, for plugins that want to know why they run, and for what they publish
 * themselves: `{ format: 1, node, job: { id, attempt, source, noop }, chain, ttl, firings_total, firings: [as in etcd] }`,
 * and of a request `request: { id, service, user, worker, chain }`, whose `chain` of ids ends with its own, and `behalf` where
 * somebody else is behind that user.
 * `chain` and `ttl` are what a firing published inside this run takes over. `firings` holds the newest of them, 100 and
 * 1 MiB at most; `firings_total` counts all.
 */
export const contextDocuments =
  (node: string, firings: Pick<FiringLog, 'ofJob'>) =>
  (job: Job): string => {
    const { id, attempt, request } = job;
    const owed = request.origin === undefined ? liveFirings(firings, id).map(({ firing }) => firing) : [];
    const facts = { id, attempt, source: request.source, noop: request.noop };
    const chain = request.origin === undefined ? chainOfRun(owed, node) : { chain: [], ttl: hopsAfter(request.origin) };
    const head = { format: 1, node, job: facts, ...chain, ...requestFacts(request), firings_total: owed.length };
    return `${JSON.stringify(head).slice(0, -1)},"firings":[${newest(owed).join(',')}]}\n`;
  };

/** −1 means none: whatever is fired or asked for from there is stopped. */
const hopsAfter = ({ ttl }: RequestOrigin): number => Math.max(-1, ttl - 1);

const requestFacts = ({ origin }: JobRequest): object => {
  if (origin === undefined) return {};
  const { id, service, user, worker, chain, behalf } = origin;
  const others = behalf === undefined ? {} : { behalf };
  return { request: { id, service, user, worker, chain: [...chain, id], ...others } };
};

/** The newest as JSON, oldest of them first. */
const newest = (firings: readonly Firing[]): string[] => {
  const documents: string[] = [];
  let bytes = 0;
  for (const firing of firings.slice(-maxFirings).reverse()) {
    const document = serializeFiring(firing);
    bytes += Buffer.byteLength(document);
    if (bytes > maxBytes) break;
    documents.unshift(document);
  }
  return documents;
};
