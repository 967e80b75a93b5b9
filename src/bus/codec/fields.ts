import type { BrokerAddress } from '../../domain/broker-address.ts';
import { isErrorCode } from '../../domain/errors.ts';
import type { OutputStream, PartialHead, Refusal, Welcome, WireOutcome } from '../messages.ts';
import {
  type Fields,
  isCount,
  isCountOrNull,
  isFields,
  isListOf,
  isName,
  isRequestId,
  isText,
  isTextOrNull,
} from './check.ts';

/** Parts that several messages share. Undefined: not well-formed. */

const maxReason = 2_048;
const results = new Set([
  'succeeded',
  'failed',
  'failed-to-start',
  'killed',
  'timed-out',
  'interrupted',
  'lost',
  'refused',
]);

const isResult = (value: unknown): value is WireOutcome['result'] => typeof value === 'string' && results.has(value);

/** A process ends with 0 to 255: a shell takes the last byte of a larger number, so that 256 would be a success. */
const isExitCode = (value: unknown): value is number => isCount(value) && value <= 255;

export const outcomeIn = (from: Fields): WireOutcome | undefined => {
  const { result, exit_code, signal, reason, code, ran_ms, output_bytes } = from;
  if (!isResult(result) || !(exit_code === null || isExitCode(exit_code))) return undefined;
  if (!isTextOrNull(signal, 32) || !isTextOrNull(reason, maxReason)) return undefined;
  if (!(code === null || isErrorCode(code)) || !isCountOrNull(ran_ms) || !isCount(output_bytes)) return undefined;
  return { result, exit_code, signal, reason, code, ran_ms, output_bytes };
};

/** The outcome of a leg that no worker has run, or of which nobody knows how it ended. */
export const outcomeWithoutRun = (
  result: WireOutcome['result'],
  reason: string,
  code: WireOutcome['code'] = null,
  outputBytes = 0,
): WireOutcome => ({ result, exit_code: null, signal: null, reason, code, ran_ms: null, output_bytes: outputBytes });

/** The reason of an outcome, cut to what every peer takes. */
export const boundedReason = <Reason extends string | null>(reason: Reason): Reason | string =>
  reason === null || reason.length <= maxReason ? reason : `${reason.slice(0, maxReason - 1)}…`;

export const partialIn = ({ id, stream, offset }: Fields): PartialHead | undefined =>
  isRequestId(id) && isStream(stream) && isCount(offset) ? { id, stream, offset } : undefined;

const isStream = (value: unknown): value is OutputStream => value === 'out' || value === 'err';

export const isStreamOrMissing = (value: unknown): value is OutputStream | undefined =>
  value === undefined || isStream(value);

export const refusalIn = ({ code, precise, message, retry_after_ms }: Fields): Refusal | undefined =>
  isErrorCode(code) && isText(message, 65_536) && isCountOrNull(retry_after_ms)
    ? { code: isErrorCode(precise) ? precise : code, message, retry_after_ms }
    : undefined;

const isBrokerAddress = (value: unknown): value is BrokerAddress =>
  isFields(value) && isName(value['id']) && isText(value['endpoint'], 512) && isText(value['key'], 64);

const brokersIn = ({ brokers }: Fields): readonly BrokerAddress[] | undefined =>
  isListOf(brokers, 1_000, isBrokerAddress)
    ? brokers.map(({ id, endpoint, key }) => ({ id, endpoint, key }))
    : undefined;

const readBrokers =
  <Op extends 'brokers' | 'goodbye'>(op: Op) =>
  (fields: Fields) => {
    const brokers = brokersIn(fields);
    return brokers && { op, brokers };
  };

/** What a broker says of all brokers, to clients and workers alike. */
export const brokerReaders = { brokers: readBrokers('brokers'), goodbye: readBrokers('goodbye') };

export const welcomeIn = (from: Fields): Welcome | undefined => {
  const { v, broker, heartbeat_ms, max_message, proofs } = from;
  const brokers = brokersIn(from);
  if (!isCount(v) || !isName(broker) || !isCount(heartbeat_ms) || !isCount(max_message)) return undefined;
  return (
    brokers && { op: 'welcome', v, broker, brokers, heartbeat_ms, max_message, ...(proofs === true && { proofs }) }
  );
};
