import type { ClientMessage, FromJob, RequestHead } from '../messages.ts';
import {
  type Fields,
  isCount,
  isCountOrNull,
  isIfAny,
  isListOf,
  isName,
  isNameOrNull,
  isRequestId,
  isShallow,
  isText,
  isTextMap,
} from './check.ts';
import type { Readers } from './parse.ts';

const maxJwt = 4_096;
const maxArgs = 256;
const maxChain = 64;
/** A statement is a flat object with at most one map in it; what nests deeper is none. */
const maxStatementDepth = 6;

/** A revision of etcd. */
const maxSeen = 20;

/** Limit of a proof: eight users with the longest names, and a seal. */
const maxProof = 8_192;

export const isProof = (value: unknown): value is string => isText(value, maxProof);

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

const isJwt = (value: unknown): value is string => isText(value, maxJwt);

/** What a client says. */
export const clientReaders: Readers<ClientMessage> = {
  hello: ({ v }) => (isCount(v) ? { op: 'hello', v } : undefined),
  login: ({ n, team, identity, ttl_ms }) =>
    isCount(n) && isName(team) && isName(identity) && (ttl_ms === undefined || isCount(ttl_ms))
      ? { op: 'login', n, team, identity, ...(ttl_ms === undefined ? {} : { ttl_ms }) }
      : undefined,
  request: (fields) => {
    const { jwt } = fields;
    const head = requestIn(fields);
    const fromJob = fromJobIn(fields);
    return head && fromJob && isJwt(jwt) ? { op: 'request', jwt, ...head, ...fromJob } : undefined;
  },
  cancel: ({ jwt, id }) => (isJwt(jwt) && isRequestId(id) ? { op: 'cancel', jwt, id } : undefined),
  ack: ({ id, worker, bytes }) =>
    isRequestId(id) && isName(worker) && isCount(bytes) ? { op: 'ack', id, worker, bytes } : undefined,
  registry: ({ jwt, n, statement, seen }) =>
    isJwt(jwt) && isCount(n) && isShallow(statement, maxStatementDepth) && (seen === undefined || isText(seen, maxSeen))
      ? { op: 'registry', jwt, n, statement, ...(seen === undefined ? {} : { seen }) }
      : undefined,
  heartbeat: () => ({ op: 'heartbeat' }),
  disconnect: () => ({ op: 'disconnect' }),
};

const fromJobIn = ({ proof, own }: Fields): FromJob | undefined =>
  isIfAny(proof, isProof) && isIfAny(own, isBoolean)
    ? { ...(proof === undefined ? {} : { proof }), ...(own === undefined ? {} : { own }) }
    : undefined;

/** What a request says of itself; undefined: not well-formed. */
export const requestIn = (fields: Fields): RequestHead | undefined => {
  const { resume, worker } = fields;
  const work = workRequestIn(fields);
  if (work === undefined || typeof resume !== 'boolean' || !isNameOrNull(worker)) return undefined;
  // Field by field, here and below: what JavaScript copies by `...` it may keep in a slow form.
  const { id, service, plugin, args, timeout_ms, chain, ttl } = work;
  return { id, service, plugin, args, timeout_ms, resume, worker, chain, ttl };
};

/** What a worker is sent of a request, besides who asks. */
export const workRequestIn = (fields: Fields): Omit<RequestHead, 'resume' | 'worker'> | undefined => {
  const { id, service, plugin, args, timeout_ms, chain, ttl } = fields;
  if (!isRequestId(id) || !isName(service) || !isName(plugin) || !isTextMap(args, maxArgs)) return undefined;
  if (!isCountOrNull(timeout_ms) || !isListOf(chain, maxChain, isName) || !Number.isSafeInteger(ttl)) return undefined;
  return { id, service, plugin, args, timeout_ms, chain, ttl: ttl as number };
};
