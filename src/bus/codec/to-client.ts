import type { Algorithm } from '../../domain/service.ts';
import type { ToClient } from '../messages.ts';
import { type Fields, isCount, isName, isRequestId } from './check.ts';
import { brokersIn, isStreamOrMissing, outcomeIn, partialIn, refusalIn, welcomeIn } from './fields.ts';
import { type Malformed, malformed, parseHeader, unknownOp } from './parse.ts';

/** What a broker says to a client, from the frame of its header. Never throws. */
export const decodeToClient = (frame: Buffer): ToClient | Malformed => {
  const header = parseHeader(frame);
  if (typeof header === 'string') return header;
  const { op, fields } = header;
  return isToClientOp(op) ? (readers[op](fields) ?? malformed(op)) : unknownOp(op);
};

const isToClientOp = (op: string): op is ToClient['op'] => Object.hasOwn(readers, op);

const isAlgorithmOrNull = (value: unknown): value is Algorithm | null =>
  value === null || value === 'roundrobin' || value === 'serial' || value === 'mirror';

const isAlgorithmIfAny = (value: unknown): value is Algorithm | null | undefined =>
  value === undefined || isAlgorithmOrNull(value);

const isCountIfAny = (value: unknown): value is number | undefined => value === undefined || isCount(value);

const readers: Readonly<Record<ToClient['op'], (fields: Fields) => ToClient | undefined>> = {
  welcome: welcomeIn,
  token: ({ n, expires_ms }) => (isCount(n) && isCount(expires_ms) ? { op: 'token', n, expires_ms } : undefined),
  accepted: ({ id, algorithm, workers }) => {
    if (!isRequestId(id) || !isAlgorithmOrNull(algorithm) || !isCountIfAny(workers)) return undefined;
    return { op: 'accepted', id, algorithm, ...(workers === undefined ? {} : { workers }) };
  },
  dispatched: ({ id, worker, algorithm, workers }) => {
    if (!isRequestId(id) || !isName(worker) || !isAlgorithmIfAny(algorithm) || !isCountIfAny(workers)) return undefined;
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
    if (!(worker === undefined || isName(worker)) || !isAlgorithmIfAny(algorithm)) return undefined;
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
    if (!refusal || !(id === undefined || isRequestId(id)) || !(n === undefined || isCount(n))) return undefined;
    return { op: 'refused', ...(id === undefined ? {} : { id }), ...(n === undefined ? {} : { n }), ...refusal };
  },
  heartbeat: () => ({ op: 'heartbeat' }),
  reannounce: () => ({ op: 'reannounce' }),
  brokers: (fields) => {
    const brokers = brokersIn(fields);
    return brokers && { op: 'brokers', brokers };
  },
  goodbye: (fields) => {
    const brokers = brokersIn(fields);
    return brokers && { op: 'goodbye', brokers };
  },
};
