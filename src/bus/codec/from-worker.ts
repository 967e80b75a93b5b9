import type { Capacity, WorkerMessage } from '../messages.ts';
import { type Fields, isCount, isCountOrNull, isIfAny, isListOf, isName, isRequestId } from './check.ts';
import { isStreamOrMissing, outcomeIn, partialIn } from './fields.ts';
import type { Readers } from './parse.ts';

const maxServices = 10_000;

const maxNoProof = 1_000;
const isPluginList = (value: unknown): value is readonly string[] => isListOf(value, maxNoProof, isName);

const capacityIn = ({ free, seen }: Fields): Capacity | undefined =>
  isCount(free) && isCount(seen) ? { free, seen } : undefined;

/** What a worker says. */
export const workerReaders: Readers<WorkerMessage> = {
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
