import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import { encodeFromClient } from '../codec/encode.ts';
import { decodeToClient } from '../codec/to-client.ts';
import type { ClientMessage, ToClient } from '../messages.ts';
import type { Connect, Connection } from '../ports.ts';

/** A connection to one broker, used for one life of it: what comes after a break is a new link. */
export interface BrokerLink {
  /** Never waits, never throws: what cannot be sent is lost with the link. */
  send(message: ClientMessage, body?: Buffer): void;
  close(): void;
}

export interface LinkListener {
  up(): void;
  /** Another address of the same broker is tried. */
  attempting(): void;
  /** The connection could not be made, or is gone. `why` in words. */
  down(why: string): void;
  message(message: ToClient, body: Buffer): void;
}

/** Opens links, and knows when all that were closed are gone. */
export class Links {
  readonly #connect: Connect;
  readonly #closing = new Set<Promise<void>>();

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  open(broker: BrokerEndpoint, listener: LinkListener): BrokerLink {
    const connection = this.#connect(broker, {
      up: () => listener.up(),
      attempting: () => listener.attempting(),
      down: (why) => listener.down(why),
      message: (head, body) => {
        const message = decodeToClient(head);
        // What this version does not know is for others.
        if (typeof message !== 'string') listener.message(message, body);
      },
    });
    return {
      send: (message, body) => void connection.send(encodeFromClient(message), body),
      close: () => this.#close(connection),
    };
  }

  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  #close(connection: Connection): void {
    connection.send(encodeFromClient({ op: 'disconnect' }));
    const closing = connection.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
