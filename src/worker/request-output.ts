import { boundedReason } from '../bus/codec/fields.ts';
import {
  maxPartialBytes,
  type OutputStream,
  outputWindowBytes,
  type WireOutcome,
  type WorkerMessage,
} from '../bus/messages.ts';
import type { RequestId } from '../domain/request.ts';
import { ownExitCode, reasonOf } from '../domain/result.ts';
import type { FinishedRequest, RequestListener } from './request-jobs.ts';

export interface RequestOutputOptions {
  readonly id: RequestId;
  /** Largest body that the broker takes. */
  readonly maxMessage: number;
  send(head: WorkerMessage, body: Buffer): void;
  /** `whole`: all of the output, of which nothing was sent. */
  ended(outcome: FinishedRequest, whole: Piece | undefined): void;
}

export interface Piece {
  readonly stream: OutputStream;
  readonly bytes: Buffer;
}

/**
 * A request's output on its way to one broker. Not more than the window is on its way without an acknowledgement; what
 * exceeds it waits in the job's file, where it is already. The first piece is held until the end of this turn of the event
 * loop: if the job is over by then, and that was all, they travel as one message.
 */
export class RequestOutput implements RequestListener {
  readonly #options: RequestOutputOptions;
  readonly #pieceBytes: number;
  #sent = 0;
  #acknowledged = 0;
  #isClosed = false;
  #held: Piece | undefined;
  #goOn: (() => void) | undefined;

  constructor(options: RequestOutputOptions) {
    this.#options = options;
    this.#pieceBytes = Math.max(1, Math.min(maxPartialBytes, options.maxMessage));
  }

  async output({ stream, bytes }: Piece): Promise<void> {
    if (this.#sent === 0 && this.#held === undefined && bytes.length <= this.#pieceBytes) {
      this.#held = { stream, bytes };
      setImmediate(() => this.#letGo());
      return;
    }
    this.#letGo();
    for (let at = 0; at < bytes.length && !this.#isClosed; at += this.#pieceBytes) {
      const piece = bytes.subarray(at, at + this.#pieceBytes);
      while (!this.#isClosed && this.#sent + piece.length - this.#acknowledged > outputWindowBytes)
        await this.#nextAcknowledgement();
      if (!this.#isClosed) this.#send(stream, piece);
    }
  }

  ended(outcome: FinishedRequest): void {
    if (this.#isClosed) return;
    const held = this.#held;
    this.close();
    this.#options.ended(outcome, held);
  }

  /** The broker has dealt with so many bytes, in all. Numbers that can't be are no acknowledgement. */
  acknowledged(bytes: number): void {
    if (!(bytes > this.#acknowledged && bytes <= this.#sent)) return;
    this.#acknowledged = bytes;
    this.#wake();
  }

  /** No broker hears it any more: waiting calls return. */
  close(): void {
    this.#isClosed = true;
    this.#held = undefined;
    this.#wake();
  }

  #letGo(): void {
    if (this.#held === undefined) return;
    const { stream, bytes } = this.#held;
    this.#held = undefined;
    this.#send(stream, bytes);
  }

  #send(stream: OutputStream, piece: Buffer): void {
    this.#options.send({ op: 'partial', id: this.#options.id, stream, offset: this.#sent }, piece);
    this.#sent += piece.length;
  }

  #nextAcknowledgement(): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  #wake(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }
}

/** A finished request as the bus tells it. */
export const outcomeOf = ({ result, ranMs, outputBytes }: FinishedRequest): WireOutcome => ({
  result: result.kind,
  exit_code: ownExitCode(result),
  signal: result.kind === 'killed' ? result.signal : null,
  reason: boundedReason(reasonOf(result)),
  code: null,
  ran_ms: ranMs === null ? null : Math.round(ranMs),
  output_bytes: outputBytes,
});
