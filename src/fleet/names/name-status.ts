import { nextCall } from '../../kit/next-call.ts';
import type { Holder, MachineName } from './holder.ts';
import { type NameState, type Obstacle, obstacleInWords } from './judge.ts';
import type { NodeNameOptions } from './ports.ts';

export interface NameStatusOptions extends Pick<NodeNameOptions, 'clock' | 'log' | 'tell'> {
  readonly self: Holder;
}

/** Whether this process has its name, for those who wait for that or look on. */
export class NameStatus {
  readonly #options: NameStatusOptions;
  readonly #listeners = new Set<() => void>();
  #state: NameState;
  /** etcd does not answer. */
  isAway = false;

  constructor(options: NameStatusOptions) {
    this.#options = options;
    this.#state = { kind: 'asking', since: options.clock.now() };
  }

  get state(): NameState {
    return this.#state;
  }

  get isRefused(): boolean {
    return this.#state.kind === 'waiting' || this.#state.kind === 'refused';
  }

  /** The name is held. `from`: the machine that had it before, if it was another one. */
  taken(from: MachineName | null, rivals: readonly Holder[]): void {
    const { self, clock, log, tell } = this.#options;
    this.#become({ kind: 'held', since: clock.now(), rivals });
    if (from === null) return;
    log.warn({ node: self.node, from, machine: self.machine }, 'This machine has taken over the node’s name');
    tell({ kind: 'node.taken-over', holder: self, from });
  }

  /** Others are refused than before. */
  refuses(rivals: readonly Holder[]): void {
    if (this.#state.kind === 'held') this.#become({ ...this.#state, rivals });
  }

  /** Somebody else has the name, or may have it. */
  obstructed(why: Obstacle, holder: Holder | null): void {
    const { self, clock, log, tell } = this.#options;
    const kind = why === 'predecessor' ? 'waiting' : 'refused';
    const state = this.#state;
    if (state.kind === kind && state.why === why && state.holder?.instance === holder?.instance) return;
    const { what, remedy } = obstacleInWords(self.node, why, holder);
    const facts = { node: self.node, holder, refused: self, remedy };
    if (kind === 'waiting') log.info(facts, what);
    else {
      log.error(facts, what);
      tell({ kind: 'node.refused', refused: self, holder });
    }
    this.#become({ kind, since: clock.now(), why, holder });
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  nextChange(signal: AbortSignal): Promise<void> {
    return nextCall((call) => this.onChange(call), signal);
  }

  /** Resolves once etcd has answered, or is known to be away. */
  async answered(signal: AbortSignal): Promise<void> {
    while (this.#state.kind === 'asking' && !this.isAway && !signal.aborted) await this.nextChange(signal);
  }

  #become(state: NameState): void {
    this.#state = state;
    this.changed();
  }
}
