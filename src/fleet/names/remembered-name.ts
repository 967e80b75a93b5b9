import { asTriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import type { Holder } from './holder.ts';
import type { NameMemory, Remembered } from './ports.ts';

/** What the state folder of this process remembers of its name: read once, and written with each change. */
export class RememberedName {
  readonly #self: Holder;
  readonly #memory: NameMemory;
  readonly #log: Log;
  #remembered: Remembered;

  constructor(self: Holder, memory: NameMemory, log: Log) {
    this.#self = self;
    this.#memory = memory;
    this.#log = log;
    this.#remembered = memory.read(self.node);
  }

  get now(): Remembered {
    return this.#remembered;
  }

  /** To be called before etcd has it: a crash in between must not make us a stranger. */
  aboutToTake(): void {
    this.#write({ ...this.#remembered, instances: [...this.#remembered.instances, this.#self.instance] });
  }

  hasTaken(): void {
    this.#write({ instances: [this.#self.instance] });
  }

  /** From now on what this folder remembers proves nothing: it may be a copy. */
  refusedBy(holder: Holder | null): void {
    const by = holder?.instance ?? null;
    if (this.#remembered.refusedBy !== undefined && this.#remembered.refusedBy.holder === by) return;
    this.#write({ ...this.#remembered, refusedBy: { holder: by } });
  }

  #write(remembered: Remembered): void {
    this.#remembered = remembered;
    try {
      this.#memory.write(this.#self.node, remembered);
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      this.#log.warn({ error }, 'Cannot store who holds the node’s name; after a restart it may have to wait');
    }
  }
}
