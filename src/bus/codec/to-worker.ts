import type { ForWorker, ToWorker } from '../messages.ts';
import { type Fields, isCount, isIfAny, isListOf, isName, isRequestId, isText } from './check.ts';
import { brokerReaders, refusalIn, welcomeIn } from './fields.ts';
import { isProof, workRequestIn } from './from-client.ts';
import { decodeWith, type Malformed, type Readers } from './parse.ts';

const maxServices = 10_000;

/** What a broker says to a worker, from the frame of its header. Never throws. */
export const decodeToWorker = (frame: Buffer): ToWorker | Malformed => decodeWith(readers, frame);

/** Limit of users in `behalf`. */
const maxBehalf = 64;
const isNameList = (value: unknown): value is readonly string[] => isListOf(value, maxBehalf, isName);

const forWorkerIn = ({ behalf, proof }: Fields): ForWorker | undefined =>
  isIfAny(behalf, isNameList) && isIfAny(proof, isProof)
    ? { ...(behalf === undefined ? {} : { behalf }), ...(proof === undefined ? {} : { proof }) }
    : undefined;

const readers: Readers<ToWorker> = {
  welcome: (fields) => {
    const { services } = fields;
    const welcome = welcomeIn(fields);
    return welcome && isListOf(services, maxServices, isName) ? { ...welcome, services } : undefined;
  },
  services: ({ services }) => (isListOf(services, maxServices, isName) ? { op: 'services', services } : undefined),
  request: (fields) => {
    const { user, team } = fields;
    const head = workRequestIn(fields);
    const more = forWorkerIn(fields);
    if (!head || !more || !isName(user) || !isName(team)) return undefined;
    const { id, service, plugin, args, timeout_ms, chain, ttl } = head;
    return { op: 'request', user, team, id, service, plugin, args, timeout_ms, chain, ttl, ...more };
  },
  cancel: ({ id, reason }) => (isRequestId(id) && isText(reason, 2_048) ? { op: 'cancel', id, reason } : undefined),
  ack: ({ id, bytes }) => (isRequestId(id) && isCount(bytes) ? { op: 'ack', id, bytes } : undefined),
  query: ({ id, user, team }) =>
    isRequestId(id) && isName(user) && isName(team) ? { op: 'query', id, user, team } : undefined,
  heartbeat: () => ({ op: 'heartbeat' }),
  reannounce: () => ({ op: 'reannounce' }),
  refused: (fields) => {
    const refusal = refusalIn(fields);
    return refusal && { op: 'refused', ...refusal };
  },
  ...brokerReaders,
};
