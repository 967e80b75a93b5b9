import { asTriggerdError } from '../domain/errors.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { Outage } from '../kit/outage.ts';
import { pause } from '../kit/pause.ts';
import type { KeyStore, Write } from '../store/key-store.ts';
import type { RegistryKeys } from './keys.ts';
import type { Mirror } from './mirror.ts';
import type { BrokerName, TokenIssuer } from './ports.ts';
import { serialize } from './wire.ts';

/** Pause after a refused write, until the loss of the name is known. ms. */
const nameMs = 1_000;

export interface IssuerPublicationOptions {
  readonly store: Pick<KeyStore, 'commit'>;
  readonly keys: RegistryKeys;
  readonly mirror: Mirror;
  readonly issuer: Pick<TokenIssuer, 'kid' | 'publicKey'>;
  /** Holds this broker's ID; missing: no other process can hold it. */
  readonly name?: BrokerName;
  /** This broker's id. */
  readonly broker: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps this broker's public key in the registry, and no other key of this broker: a token of a key that was replaced is
 * void everywhere. Written again whenever the registry turns out not to have it, as after a loss of etcd's data.
 */
export class IssuerPublication {
  /** Resolves once the key is published, or etcd is known to be away. */
  readonly ready: Promise<void>;
  readonly #options: IssuerPublicationOptions;
  readonly #stop = new AbortController();
  readonly #away: Outage;
  readonly #unsubscribe: () => void;
  #writing: Promise<void> | undefined;
  #becomeReady: () => void = () => undefined;

  constructor(options: IssuerPublicationOptions) {
    this.#options = options;
    this.#away = new Outage(options.log, {
      begins: 'Cannot publish the key of this broker’s tokens; retrying',
      ends: 'The key of this broker’s tokens is published',
    });
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    const unsubscribes = [options.mirror, options.name].map((each) => each?.onChange(() => this.#look()));
    this.#unsubscribe = () => {
      for (const unsubscribe of unsubscribes) unsubscribe?.();
    };
    this.#look();
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#stop.abort();
    await this.#writing;
    this.#becomeReady();
  }

  #look(): void {
    const { mirror, name } = this.#options;
    if (mirror.state === undefined) return;
    if (this.#isPublished() || name?.isRefused() === true || name?.isAway === true) this.#becomeReady();
    if (!this.#isPublished() && this.#isEntitled())
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
  }

  /** Of two brokers with one ID only its holder publishes: otherwise each would void the other's tokens. */
  #isEntitled(): boolean {
    const { name } = this.#options;
    return name === undefined || name.fence !== undefined;
  }

  #isPublished(): boolean {
    const { mirror, issuer } = this.#options;
    return mirror.state?.issuers.has(issuer.kid) === true && this.#replaced().length === 0;
  }

  #replaced(): string[] {
    const { mirror, issuer, broker } = this.#options;
    const issuers = [...(mirror.state?.issuers ?? [])];
    return issuers.flatMap(([kid, other]) => (other.broker === broker && kid !== issuer.kid ? kid : []));
  }

  async #write(): Promise<void> {
    const { store, keys, mirror, issuer, broker, clock, name } = this.#options;
    while (!this.#stop.signal.aborted && this.#isEntitled()) {
      const compare = name?.fence === undefined ? [] : [name.fence];
      const created_at = new Date(clock.now()).toISOString();
      const removed = this.#replaced().map((kid): Write => ({ delete: keys.issuer(kid) }));
      const own = { put: keys.issuer(issuer.kid), value: serialize({ broker, key: issuer.publicKey, created_at }) };
      try {
        const { succeeded, revision } = await store.commit({ compare, write: [own, ...removed.slice(0, 100)] });
        if (succeeded) {
          await mirror.current(revision);
          return this.#away.over();
        }
        // The name is lost, or will soon be known as lost; then `#isEntitled` ends the loop.
        name?.look();
        await pause(nameMs, this.#stop.signal);
      } catch (error) {
        this.#becomeReady();
        await pause(this.#away.failed(asTriggerdError(error)), this.#stop.signal);
      }
    }
  }
}
