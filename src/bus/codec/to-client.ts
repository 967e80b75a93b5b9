import type { Algorithm } from '../../domain/service.ts';
import type { ToClient } from '../messages.ts';
import { isCount, isIfAny, isName, isRequestId } from './check.ts';
import { brokerReaders, isStreamOrMissing, outcomeIn, partialIn, refusalIn, welcomeIn } from './fields.ts';
import { decodeWith, type Malformed, type Readers } from './parse.ts';

/** What a broker says to a client, from the frame of its header. Never throws. */
export const decodeToClient = (frame: Buffer): ToClient | Malformed => decodeWith(readers, frame);

const isAlgorithmOrNull = (value: unknown): value is Algorithm | null =>
  value === null || value === 'roundrobin' || value === 'serial' || value === 'mirror';

const readers: Readers<ToClient> = {
  welcome: welcomeIn,
  token: ({ n, expires_ms }) => (isCount(n) && isCount(expires_ms) ? { op: 'token', n, expires_ms } : undefined),
  accepted: ({ id, algorithm, workers }) => {
    if (!isRequestId(id) || !isAlgorithmOrNull(algorithm) || !isIfAny(workers, isCount)) return undefined;
    return { op: 'accepted', id, algorithm, ...(workers === undefined ? {} : { workers }) };
  },
  dispatched: ({ id, worker, algorithm, workers }) => {
    if (!isRequestId(id) || !isName(worker) || !isIfAny(algorithm, isAlgorithmOrNull) || !isIfAny(workers, isCount))
      return undefined;
    const accepted = {
      ...(algorithm === undefined ? {} : { algorithm }),
      ...(workers === undefined ? {} : { workers }),
    };
    return { op: 'dispatched', id, worker, ...accepted };
  },
  partial: (fields) => {
    const { worker } = fields;
    const head = partialIn(fields);
    return head && isName(worker) ? { op: 'partial', worker, ...head } : undefined;
  },
  leg: (fields) => {
    const { id, worker } = fields;
    const outcome = outcomeIn(fields);
    return outcome && isRequestId(id) && isName(worker) ? { op: 'leg', id, worker, ...outcome } : undefined;
  },
  final: (fields) => {
    const { id, algorithm, worker, stream } = fields;
    const outcome = outcomeIn(fields);
    if (!outcome || !isRequestId(id) || !isStreamOrMissing(stream)) return undefined;
    if (!isIfAny(worker, isName) || !isIfAny(algorithm, isAlgorithmOrNull)) return undefined;
    return {
      op: 'final',
      id,
      ...(algorithm === undefined ? {} : { algorithm }),
      ...(worker && { worker }),
      ...(stream && { stream }),
      ...outcome,
    };
  },
  answer: ({ n }) => (isCount(n) ? { op: 'answer', n } : undefined),
  refused: (fields) => {
    const { id, n } = fields;
    const refusal = refusalIn(fields);
    if (!refusal || !isIfAny(id, isRequestId) || !isIfAny(n, isCount)) return undefined;
    return { op: 'refused', ...(id === undefined ? {} : { id }), ...(n === undefined ? {} : { n }), ...refusal };
  },
  heartbeat: () => ({ op: 'heartbeat' }),
  reannounce: () => ({ op: 'reannounce' }),
  ...brokerReaders,
};
