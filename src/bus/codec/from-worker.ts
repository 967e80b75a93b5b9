import type { Capacity, WorkerMessage } from '../messages.ts';
import { type Fields, isCount, isCountOrNull, isIfAny, isListOf, isName, isRequestId } from './check.ts';
import { isStreamOrMissing, outcomeIn, partialIn } from './fields.ts';
import { type Header, type Malformed, malformed, parseHeader, unknownOp } from './parse.ts';

const maxServices = 10_000;

/** What a worker says, from the frame of its header. Fields that are not known are left out. Never throws. */
export const decodeFromWorker = (frame: Buffer): WorkerMessage | Malformed => {
  const header = parseHeader(frame);
  return typeof header === 'string' ? header : workerMessage(header);
};

/** The same for a header that is parsed already. */
export const workerMessage = ({ op, fields }: Header): WorkerMessage | Malformed =>
  isWorkerOp(op) ? (readers[op](fields) ?? malformed(op)) : unknownOp(op);

export const isWorkerOp = (op: string): op is WorkerMessage['op'] => Object.hasOwn(readers, op);

const maxNoProof = 1_000;
const isPluginList = (value: unknown): value is readonly string[] => isListOf(value, maxNoProof, isName);

const capacityIn = ({ free, seen }: Fields): Capacity | undefined =>
  isCount(free) && isCount(seen) ? { free, seen } : undefined;

const readers: Readonly<Record<WorkerMessage['op'], (fields: Fields) => WorkerMessage | undefined>> = {
  ready: ({ v, team, identity, instance, node, version, free }) =>
    isCount(v) &&
    isName(team) &&
    isName(identity) &&
    isName(instance) &&
    isName(node) &&
    isName(version) &&
    isCount(free)
      ? { op: 'ready', v, team, identity, instance, node, version, free }
      : undefined,
  announce: ({ services, no_proof }) =>
    isListOf(services, maxServices, isName) && isIfAny(no_proof, isPluginList)
      ? { op: 'announce', services, ...(no_proof === undefined ? {} : { no_proof }) }
      : undefined,
  heartbeat: (fields) => {
    const capacity = capacityIn(fields);
    return capacity && { op: 'heartbeat', ...capacity };
  },
  credit: (fields) => {
    const capacity = capacityIn(fields);
    return capacity && { op: 'credit', ...capacity };
  },
  partial: (fields) => {
    const head = partialIn(fields);
    return head && { op: 'partial', ...head };
  },
  final: (fields) => {
    const { id, job, stream } = fields;
    const [capacity, outcome] = [capacityIn(fields), outcomeIn(fields)];
    if (!isRequestId(id) || !isCountOrNull(job) || !isStreamOrMissing(stream)) return undefined;
    return capacity && outcome && { op: 'final', id, job, ...capacity, ...(stream && { stream }), ...outcome };
  },
  returned: ({ id, free }) => (isRequestId(id) && isCount(free) ? { op: 'returned', id, free } : undefined),
  known: ({ id, known }) => (isRequestId(id) && typeof known === 'boolean' ? { op: 'known', id, known } : undefined),
  leaving: () => ({ op: 'leaving' }),
  disconnect: () => ({ op: 'disconnect' }),
};
