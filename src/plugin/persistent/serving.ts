import type { Log } from '../../kit/log.ts';
import { startTimer } from '../../kit/timer.ts';
import type {
  CallListener,
  PersistentCall,
  PersistentProgram,
  RunExit,
  RunningCall,
} from '../../queue/ports/runner.ts';
import type { PersistentProcess, ProcessListener, StartPersistent } from './ports.ts';
import { cancelLine, helloLine, readLine, runLine } from './protocol.ts';

export interface ServingOptions {
  readonly start: StartPersistent;
  readonly node: string;
  readonly log: Log;
  /** A process without a call is kept so long. */
  readonly idleMs: number;
}

export interface ServingListener {
  /** `isFailure`: nobody had asked it to end. */
  gone(how: string, isFailure: boolean): void;
  /** A call has ended with its `exit`. */
  answered(): void;
}

/** Limit of bytes that wait for the process to read them. */
const maxUnread = 16 * 1024 * 1024;
/** Characters of a senseless line in a log. */
const shownLength = 200;

interface OpenCall {
  readonly listener: CallListener;
  cause: RunExit['cause'];
  /** Cancels the timer of its timeout, or of its grace. */
  disarm(): void;
}

/** One process of a persistent plugin, and the calls that it does. Starts it. */
export class Serving implements ProcessListener {
  readonly program: PersistentProgram;
  readonly #options: ServingOptions;
  readonly #listener: ServingListener;
  readonly #process: PersistentProcess;
  readonly #calls = new Map<number, OpenCall>();
  #phase: 'open' | 'retired' | { readonly stoppedFor: string; readonly isFailure: boolean } = 'open';
  #stopIdling: () => void = () => undefined;
  #hasComplained = false;
  #stderrLoggedAt = Number.NEGATIVE_INFINITY;
  readonly #over: Promise<void>;
  #isOver: () => void = () => undefined;

  constructor(program: PersistentProgram, options: ServingOptions, listener: ServingListener) {
    this.program = program;
    this.#options = options;
    this.#listener = listener;
    this.#over = new Promise((resolve) => {
      this.#isOver = resolve;
    });
    this.#process = options.start(program, this);
    this.#process.write(helloLine(program, options.node));
  }

  /** Whether it can take a call with this ID: tests of plugins share one. */
  hasCapacityFor(id: number): boolean {
    if (this.#phase !== 'open' || this.#calls.has(id)) return false;
    return this.#calls.size < this.program.concurrency && this.#process.unread <= maxUnread;
  }

  run(call: PersistentCall, listener: CallListener): RunningCall {
    this.#stopIdling();
    const open: OpenCall = { listener, cause: 'itself', disarm: () => undefined };
    if (call.timeoutMs !== null) open.disarm = startTimer(call.timeoutMs, () => this.#cancel(call.id, open, 'timeout'));
    this.#calls.set(call.id, open);
    this.#process.write(runLine(call));
    return { kill: () => this.#cancel(call.id, open, 'kill') };
  }

  /** Takes nothing new, and ends when its calls have ended. */
  retire(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'retired';
    if (this.#calls.size === 0) this.#leave();
  }

  /** Interrupts what it does; resolves when it is gone. */
  close(): Promise<void> {
    this.#stop('the daemon is stopping', false);
    return this.#over;
  }

  line(text: string): void {
    if (typeof this.#phase === 'object') return;
    const event = readLine(text);
    if (typeof event === 'string') {
      const shown = text.slice(0, shownLength);
      this.#stop(`The plugin printed a line that is no answer (${event}): ${shown}`, true);
      return;
    }
    const open = this.#calls.get(event.id);
    if (open === undefined) {
      this.#complain(event.id);
      return;
    }
    if (event.out !== undefined) open.listener.output('out', event.out);
    if (event.err !== undefined) open.listener.output('err', event.err);
    if (event.exit === undefined) return;
    this.#listener.answered();
    this.#end(event.id, open, { kind: 'exited', code: event.exit, cause: open.cause });
  }

  lineTooLong(): void {
    this.#stop('The plugin printed a line that is too long.', true);
  }

  /** Only with one open call it is known whose stderr this is. */
  stderr(bytes: Buffer): void {
    const [only, ...others] = this.#calls.values();
    if (only !== undefined && others.length === 0) only.listener.output('err', bytes);
    else this.#logStderr(bytes);
  }

  /** A line in a second at most, whatever it writes. */
  #logStderr(bytes: Buffer): void {
    const now = performance.now();
    if (now - this.#stderrLoggedAt < 1000) return;
    this.#stderrLoggedAt = now;
    const stderr = bytes.toString('utf8', 0, shownLength);
    this.#options.log.info({ plugin: this.program.plugin, stderr }, 'A persistent plugin wrote to stderr');
  }

  gone(how: string): void {
    this.#stopIdling();
    if (typeof this.#phase === 'string') {
      const isFailure = this.#phase === 'open' || this.#calls.size > 0;
      this.#phase = { stoppedFor: `The plugin’s process ${how}.`, isFailure };
    }
    const { stoppedFor: reason, isFailure } = this.#phase;
    for (const { listener, disarm, cause } of this.#calls.values()) {
      disarm();
      listener.ended({ kind: 'interrupted', cause, reason });
    }
    this.#calls.clear();
    this.#listener.gone(how, isFailure);
    this.#isOver();
  }

  #end(id: number, open: OpenCall, end: Parameters<CallListener['ended']>[0]): void {
    open.disarm();
    this.#calls.delete(id);
    open.listener.ended(end);
    if (this.#calls.size > 0) return;
    if (this.#phase === 'open') this.#stopIdling = startTimer(this.#options.idleMs, () => this.retire());
    else if (this.#phase === 'retired') this.#leave();
  }

  /** The plugin is asked first; one that does not listen takes the others' calls down with it. */
  #cancel(id: number, open: OpenCall, cause: 'timeout' | 'kill'): void {
    if (open.cause !== 'itself' || this.#calls.get(id) !== open) return;
    open.cause = cause;
    open.disarm();
    this.#process.write(cancelLine(id, cause));
    open.disarm = startTimer(this.program.graceMs, () =>
      this.#stop(`The plugin did not end another of its jobs when told to (${cause}), and was killed.`, false),
    );
  }

  #leave(): void {
    this.#process.endInput();
    this.#stopIdling();
    this.#stopIdling = startTimer(this.program.graceMs, () => this.#process.stop(this.program.graceMs));
  }

  #stop(reason: string, isFailure: boolean): void {
    if (typeof this.#phase === 'object') return;
    this.#phase = { stoppedFor: reason, isFailure };
    this.#process.stop(isFailure ? 0 : this.program.graceMs);
  }

  /** Late output of a cancelled call is normal, a stream of it is not worth more than a line. */
  #complain(id: number): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#options.log.warn(
      { plugin: this.program.plugin, id },
      'Ignoring lines of a persistent plugin about a job that it does not have',
    );
  }
}
