/**
 * Output on its way to the client. The worker may have `outputWindowBytes` on its way that nobody has acknowledged, and
 * the acknowledgements are the client's own: so a slow client slows its own request and nothing else, and what is here
 * is bounded. For a request that nobody listens to, the broker acknowledges itself.
 */
import { encodeToClient, encodeToWorker } from '../bus/codec/encode.ts';
import { maxPartialBytes, outputWindowBytes, type PartialHead } from '../bus/messages.ts';
import type { Announcements } from './announcements.ts';
import type { Wire } from './options.ts';
import { hasLegPerWorker, type Leg } from './request.ts';
import type { WorkerSession } from './sessions.ts';

/** The broker acknowledges by itself in steps of this size. */
const ackStepBytes = outputWindowBytes / 4;

export interface ForwardOptions {
  readonly wire: Wire;
  readonly announcements: Announcements;
}

/** Forwards output to the client. False: the worker breaks the protocol. */
export const forwardOutput = (
  { wire, announcements }: ForwardOptions,
  session: WorkerSession,
  leg: Leg,
  head: PartialHead,
  body: Buffer,
): boolean => {
  if (body.length > maxPartialBytes || head.offset !== leg.received) return false;
  leg.received += body.length;
  if (leg.received - leg.acked > outputWindowBytes) return false;
  const { client } = leg.request;
  const news = leg.received - leg.forwarded;
  if (news <= 0 || client === null) {
    if (leg.received - leg.acked >= ackStepBytes) acknowledge(wire, session, leg, leg.received);
    return true;
  }
  announcements.now(leg.request);
  const fresh = news < body.length ? body.subarray(body.length - news) : body;
  const { id, stream } = head;
  wire.send(
    client,
    encodeToClient({ op: 'partial', id, worker: session.claim.identity, stream, offset: leg.forwarded }),
    fresh,
  );
  leg.forwarded = leg.received;
  return true;
};

/** Whether the output that came with the end of a leg can go to the client with the end of the request. */
export const fitsInFinal = ({ request, received, forwarded }: Leg, body: Buffer): boolean =>
  request.client !== null && !hasLegPerWorker(request) && received + forwarded === 0 && body.length <= maxPartialBytes;

/** Acknowledges this total of bytes to the worker. */
export const acknowledge = (wire: Wire, session: WorkerSession, leg: Leg, bytes: number): void => {
  const told = Math.min(bytes, leg.received);
  if (told <= leg.acked) return;
  leg.acked = told;
  wire.send(session.peer, encodeToWorker({ op: 'ack', id: leg.request.id, bytes: told }));
};
