import { Client, type ConnectOptions } from '../../client/client.ts';
import type { Log } from '../../kit/log.ts';

/** A client that is connected when it is needed: brokers may be away for as long as they like. */
export class BusConnection {
  readonly #options: () => ConnectOptions;
  readonly #log: Log;
  #client: Promise<Client> | undefined;

  /** `options` may look for brokers at each attempt. */
  constructor(options: () => ConnectOptions, log: Log) {
    this.#options = options;
    this.#log = log;
  }

  /** Throws `broker-unreachable`, `login-failed`, `too-many-attempts`; the next call tries again. */
  client(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const connecting = this.#connect();
    this.#client = connecting;
    connecting.catch(() => {
      if (this.#client === connecting) this.#client = undefined;
    });
    return connecting;
  }

  /** What has not ended continues: the next start asks for it again. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close({ open: 'leave' });
  }

  async #connect(): Promise<Client> {
    return Client.connect({
      ...this.#options(),
      onBrokerLost: (why) => this.#log.warn({ why }, 'Lost the broker; trying another one'),
    });
  }
}
