import { encodeToWorker } from '../bus/codec/encode.ts';
import { protocolVersion, type Refusal, type Welcome } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import type { BrokerOptions } from './options.ts';

/** An error as a peer sees it: code and message, never a cause. */
export const refusalOf = (thrown: unknown): Refusal => {
  const { code, message, details } = asTriggerdError(thrown);
  const after = details['retry_after_ms'];
  return {
    code,
    // Details of a bug stay in the log.
    message: code === 'internal' ? 'the broker has met a bug; its log says more' : message,
    retry_after_ms: typeof after === 'number' ? after : null,
  };
};

export const refuseWorker = (
  { observer, wire }: Pick<BrokerOptions, 'observer' | 'wire'>,
  peer: PeerId,
  thrown: unknown,
): void => {
  const refusal = refusalOf(thrown);
  observer.refused(refusal.code);
  wire.send(peer, encodeToWorker({ op: 'refused', ...refusal }));
};

/** The broker may be back soon; without a time a worker would take this for a lasting refusal. */
export const draining = (): TriggerdError =>
  new TriggerdError('draining', 'this broker is stopping', { details: { retry_after_ms: 1_000 } });

export const wrongVersion = (v: number): TriggerdError =>
  new TriggerdError('bus-protocol', `protocol version ${v} is not supported; this broker speaks ${protocolVersion}`);

export const welcomeOf = ({
  id,
  brokers,
  limits,
  proofs,
}: Pick<BrokerOptions, 'id' | 'brokers' | 'limits' | 'proofs'>): Welcome => ({
  op: 'welcome',
  v: protocolVersion,
  broker: id,
  brokers: brokers(),
  heartbeat_ms: limits.heartbeatMs,
  max_message: limits.maxMessage,
  ...(proofs === undefined ? {} : { proofs: true }),
});
