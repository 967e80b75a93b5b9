import type { Wait } from './ports.ts';

/** What is gathered at most before it is sent. */
const batchBytes = 262_144;
const batchMs = 5;

type Spool = (definition: number, messages: readonly Buffer[]) => Promise<void>;

/**
 * Messages that are not durable: their writers do not wait, so those of a few milliseconds travel together. When some were
 * refused, the next writer to that trigger waits for the answer and hears it, until the daemon takes something again. With
 * too much under way everybody waits.
 */
export class UnconfirmedWrites {
  readonly #spool: Spool;
  readonly #maxBytes: number;
  readonly #gathered = new Map<number, Buffer[]>();
  #gatheredBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #underWay = new Set<Promise<void>>();
  #underWayBytes = 0;
  readonly #refused = new Set<number>();

  /** `maxBytes` may be under way unconfirmed. */
  constructor(spool: Spool, maxBytes: number) {
    this.#spool = spool;
    this.#maxBytes = maxBytes;
  }

  /** Throws what the daemon refuses, where it has just refused something of the same trigger. */
  add(definition: number, messages: readonly Buffer[]): Wait {
    const gathered = this.#gathered.get(definition) ?? [];
    this.#gathered.set(definition, gathered);
    for (const message of messages) gathered.push(message);
    this.#gatheredBytes += bytesOf(messages);
    if (this.#refused.has(definition) || this.#underWayBytes > this.#maxBytes) return this.#send(definition);
    if (this.#gatheredBytes >= batchBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), batchMs);
    return undefined;
  }

  /** What comes next is not to overtake them. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // Those that were refused are logged by the daemon; their writers have gone on.
    for (const definition of [...this.#gathered.keys()]) this.#send(definition).catch(() => undefined);
  }

  /** Resolves when the daemon has answered to all of them. */
  async settled(): Promise<void> {
    this.flush();
    await Promise.allSettled(this.#underWay);
  }

  #send(definition: number): Promise<void> {
    const messages = this.#gathered.get(definition) ?? [];
    const bytes = bytesOf(messages);
    this.#gathered.delete(definition);
    this.#gatheredBytes -= bytes;
    this.#underWayBytes += bytes;
    const sent = this.#perform(definition, messages).finally(() => {
      this.#underWayBytes -= bytes;
      this.#underWay.delete(sent);
    });
    this.#underWay.add(sent);
    return sent;
  }

  async #perform(definition: number, messages: readonly Buffer[]): Promise<void> {
    try {
      await this.#spool(definition, messages);
      this.#refused.delete(definition);
    } catch (error) {
      this.#refused.add(definition);
      throw error;
    }
  }
}

const bytesOf = (messages: readonly Buffer[]): number => messages.reduce((sum, { length }) => sum + length, 0);
