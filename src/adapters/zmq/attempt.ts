import { Dealer, type Event } from 'zeromq';
import { maxHeaderBytes } from '../../bus/codec/parse.ts';
import { type ResolvedEndpoint, socketTiming } from './endpoints.ts';
import { receiveLoop } from './outbox.ts';

export interface AttemptOptions {
  readonly curve: { readonly curveServerKey: string; readonly curvePublicKey: string; readonly curveSecretKey: string };
  /** What one frame from the broker may hold, in bytes; a broker that sends more is disconnected. */
  readonly maxFrame: number;
  /** How long the handshake may take from the beginning, in ms; undefined: as libzmq's own limits say. */
  readonly limitMs: number | undefined;
}

export interface AttemptListener {
  up(socket: Dealer): void;
  received(frames: Buffer[]): void;
}

/** How an attempt ended; `closed`: it was asked to. */
export type AttemptEnd = 'unreachable' | 'silent' | 'unencrypted' | 'lost' | 'closed';

/** Multiparts that libzmq holds for the broker. */
const highWaterMark = 256;
/** A frame begins no further message beyond this; so it is longer than its longest message by so much at most. */
const frameAllowance = 2 * maxHeaderBytes;

/**
 * One connection to one endpoint, on a socket of its own, from the first packet to its loss: libzmq's own reconnecting would stay
 * at that endpoint for ever. Resolves when the socket is gone. Throws what libzmq throws for an endpoint that it does not take.
 */
export const attempt = async (
  { endpoint, ipv6 }: ResolvedEndpoint,
  { curve, maxFrame, limitMs }: AttemptOptions,
  listener: AttemptListener,
  signal: AbortSignal,
): Promise<AttemptEnd> => {
  if (signal.aborted) return 'closed';
  const socket = new Dealer({
    ...socketTiming,
    ...curve,
    ipv6,
    maxMessageSize: Math.max(maxFrame, maxHeaderBytes) + frameAllowance,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
    sendTimeout: 0,
    // Nothing is kept for a connection that is not there: its place may be taken by another process.
    immediate: true,
  });
  let end: AttemptEnd | undefined;
  const over = (how: AttemptEnd): void => {
    end ??= how;
    socket.close();
  };
  const close = (): void => over('closed');
  const timer = limitMs === undefined ? undefined : setTimeout(over, limitMs, 'silent');
  signal.addEventListener('abort', close);
  let isUp = false;
  const happened = ({ type }: Event): void => {
    if (type === 'handshake') {
      clearTimeout(timer);
      isUp = true;
      listener.up(socket);
    } else if (type === 'connect:retry') over('unreachable');
    else if (type === 'disconnect' || type.startsWith('handshake:error')) over(isUp ? 'lost' : 'unencrypted');
  };
  try {
    const ended = Promise.all([
      observe(socket, (event) => end === undefined && happened(event)),
      receiveLoop(socket, listener.received),
    ]);
    connect(socket, endpoint);
    await ended;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', close);
  }
  return end ?? 'lost';
};

const connect = (socket: Dealer, endpoint: string): void => {
  try {
    socket.connect(endpoint);
  } catch (error) {
    socket.close();
    throw error;
  }
};

const observe = async ({ events }: Dealer, happened: (event: Event) => void): Promise<void> => {
  for await (const event of events) happened(event);
};
