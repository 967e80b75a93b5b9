import type { ToClient } from '../messages.ts';
import { type Fields, isCount, isName, isRequestId } from './check.ts';
import { brokersIn, endingIn, partialIn, refusalIn, welcomeIn } from './fields.ts';
import { type Malformed, malformed, parseHeader, unknownOp } from './parse.ts';

/** What a broker says to a client, from the frame of its header. Never throws. */
export const decodeToClient = (frame: Buffer): ToClient | Malformed => {
  const header = parseHeader(frame);
  if (typeof header === 'string') return header;
  const { op, fields } = header;
  return isToClientOp(op) ? (readers[op](fields) ?? malformed(op)) : unknownOp(op);
};

const isToClientOp = (op: string): op is ToClient['op'] => Object.hasOwn(readers, op);

const isAlgorithm = (value: unknown): value is 'roundrobin' | 'serial' | 'mirror' =>
  value === 'roundrobin' || value === 'serial' || value === 'mirror';

const readers: Readonly<Record<ToClient['op'], (fields: Fields) => ToClient | undefined>> = {
  welcome: welcomeIn,
  token: ({ n, expires_ms }) => (isCount(n) && isCount(expires_ms) ? { op: 'token', n, expires_ms } : undefined),
  accepted: ({ id, algorithm }) =>
    isRequestId(id) && (algorithm === null || isAlgorithm(algorithm)) ? { op: 'accepted', id, algorithm } : undefined,
  dispatched: ({ id, worker }) => (isRequestId(id) && isName(worker) ? { op: 'dispatched', id, worker } : undefined),
  partial: (fields) => {
    const { worker } = fields;
    const head = partialIn(fields);
    return head && isName(worker) ? { op: 'partial', worker, ...head } : undefined;
  },
  leg: (fields) => {
    const { id, worker } = fields;
    const ending = endingIn(fields);
    return ending && isRequestId(id) && isName(worker) ? { op: 'leg', id, worker, ...ending } : undefined;
  },
  final: (fields) => {
    const { id } = fields;
    const ending = endingIn(fields);
    return ending && isRequestId(id) ? { op: 'final', id, ...ending } : undefined;
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
