import { curveKeyPair } from 'zeromq';
import { dealerConnect } from '../../src/adapters/zmq/dealer.ts';
import type { Resolve } from '../../src/adapters/zmq/endpoints.ts';
import { type BusRouter, openRouter, type RouterListener } from '../../src/adapters/zmq/router.ts';
import { eachMessage } from '../../src/bus/codec/pack.ts';
import type { Connection, PeerId } from '../../src/bus/ports.ts';
import { silentLog } from '../../src/kit/log.ts';

/** A router on a free port of this machine, and what came to it. */
export interface TestRouter {
  readonly router: BusRouter;
  readonly key: string;
  readonly received: { readonly peer: PeerId; readonly head: string; readonly body: string }[];
  readonly malformed: string[];
  readonly multiparts: number[];
  readonly gone: string[];
  readonly dead: Error[];
}

export const startRouter = async (
  options: {
    readonly listen?: string;
    readonly maxMessage?: number;
    readonly secretKey?: string;
    readonly key?: string;
  } = {},
  echo = false,
): Promise<TestRouter> => {
  const pair = curveKeyPair();
  const at = { received: [], malformed: [], multiparts: [], gone: [], dead: [] } as unknown as TestRouter;
  const listener: RouterListener = {
    frames: (peer, frames) => {
      at.multiparts.push(frames.length);
      eachMessage(
        frames,
        1,
        (head, body) => {
          at.received.push({ peer, head: head.toString(), body: body.toString() });
          if (echo) at.router.send(peer, head.toString(), body);
        },
        (why) => at.malformed.push(why),
      );
    },
    gone: (_, why) => void at.gone.push(why),
    dead: (error) => void at.dead.push(error),
  };
  const router = await openRouter(
    {
      listen: options.listen ?? 'tcp://127.0.0.1:0',
      secretKey: options.secretKey ?? pair.secretKey,
      maxMessage: options.maxMessage ?? 1_048_576,
      log: silentLog,
    },
    listener,
  );
  return Object.assign(at, { router, key: options.key ?? pair.publicKey });
};

/** A dealer and what it heard. */
export interface TestDealer {
  readonly connection: Connection;
  readonly states: string[];
  readonly received: { readonly head: string; readonly body: string }[];
  /** How many further addresses of the broker were tried. */
  attempts(): number;
}

/** `resolve`: what addresses the endpoint's name has. */
export const dial = (to: { readonly endpoint: string; readonly key: string }, resolve?: Resolve): TestDealer => {
  const states: string[] = [];
  const received: { readonly head: string; readonly body: string }[] = [];
  let further = 0;
  const connection = dealerConnect({ maxFrame: 1_048_576, log: silentLog, ...(resolve && { resolve }) })(to, {
    up: () => void states.push('up'),
    attempting: () => void further++,
    down: (reason) => void states.push(`down: ${reason}`),
    message: (head, body) => void received.push({ head: head.toString(), body: body.toString() }),
  });
  return { connection, states, received, attempts: () => further };
};
