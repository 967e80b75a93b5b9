import { protocolVersion, type Welcome } from '../bus/messages.ts';
import type { BrokerOptions } from './options.ts';

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
