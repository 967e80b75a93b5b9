import { RequestOutput } from './output.ts';
import { WorkerOutput } from './worker-output.ts';

export interface AcknowledgedOutputOptions {
  /** Nobody will read it. */
  readonly isDiscarded: boolean;
  /** Counts connections. */
  epoch(): number;
  /** Whether a broker is there that has the request. */
  mayAcknowledge(): boolean;
  /** So many bytes of this worker's output have been dealt with, in all. */
  acknowledge(worker: string, bytes: number): void;
}

/** The output of all workers of a request: what is new goes to the reader, what the reader has dealt with is acknowledged. */
export class AcknowledgedOutput {
  readonly reader: RequestOutput;
  readonly #options: AcknowledgedOutputOptions;
  readonly #workers = new Map<string, WorkerOutput>();

  constructor(options: AcknowledgedOutputOptions) {
    this.#options = options;
    this.reader = new RequestOutput(({ worker, bytes }) => this.#dealtWith(worker, bytes.length), options.isDiscarded);
  }

  /** This worker begins (again). */
  dispatched(worker: string): void {
    this.#of(worker).dispatched(this.#options.epoch());
  }

  /** False: there is a gap before it. */
  take(worker: string, stream: 'out' | 'err', offset: number, body: Buffer): boolean {
    const bytes = this.#of(worker).take(this.#options.epoch(), offset, body);
    if (bytes === undefined) return false;
    if (bytes.length > 0) this.reader.put({ worker, stream, bytes });
    else this.#acknowledgeWhenDue(worker);
    return true;
  }

  #of(worker: string): WorkerOutput {
    const known = this.#workers.get(worker);
    if (known !== undefined) return known;
    const fresh = new WorkerOutput(this.#options.epoch());
    this.#workers.set(worker, fresh);
    return fresh;
  }

  #dealtWith(worker: string, bytes: number): void {
    this.#workers.get(worker)?.dealWith(bytes);
    this.#acknowledgeWhenDue(worker);
  }

  #acknowledgeWhenDue(worker: string): void {
    if (!this.#options.mayAcknowledge()) return;
    const bytes = this.#workers.get(worker)?.dueAck();
    if (bytes !== undefined) this.#options.acknowledge(worker, bytes);
  }
}
