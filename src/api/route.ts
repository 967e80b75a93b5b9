import type { Readable } from 'node:stream';
import type { GenericSchema, InferOutput } from 'valibot';
import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
import { startTimer } from '../kit/timer.ts';

/**
 * One call of the control API, without a server: an adapter listens, checks what is asked for by the schemas, and sends
 * what `answer` gives: a document, or an `Answer` where that is not all. Throws are refusals with their catalogue's status.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly schemas: Schemas;
  answer(asked: Asked<Schemas>): unknown;
}

/** What is not named is not read. A body of `bytes` is handed over as it came. */
export interface Schemas {
  readonly params?: GenericSchema;
  readonly query?: GenericSchema;
  readonly body?: GenericSchema | 'bytes';
}

type Checked<Schema> = Schema extends 'bytes' ? Buffer : Schema extends GenericSchema ? InferOutput<Schema> : undefined;

export interface Asked<Wanted extends Schemas> {
  readonly params: Checked<Wanted['params']>;
  readonly query: Checked<Wanted['query']>;
  readonly body: Checked<Wanted['body']>;
  /** Aborts with `timed-out` when the caller hangs up. */
  hungUp(): AbortSignal;
}

/** An answer that is more than a document with the status 200. */
export class Answer {
  readonly status: number;
  readonly content: Content;

  constructor(status: number, content: Content) {
    this.status = status;
    this.content = content;
  }
}

export type Content =
  | { readonly kind: 'document'; readonly document: unknown }
  | { readonly kind: 'text'; readonly type: string; readonly text: string }
  /** Head and status go out at once: the first byte may be long in coming. */
  | { readonly kind: 'stream'; readonly type: string; readonly head: Head; readonly bytes: Readable };

type Head = Readonly<Record<string, string | number>>;

export const answer = (status: number, document: unknown): Answer => new Answer(status, { kind: 'document', document });

export const streamOf = (type: string, bytes: Readable, head: Head = {}): Answer =>
  new Answer(200, { kind: 'stream', type, head, bytes });

const routeFor =
  (method: Route['method']) =>
  <const Wanted extends Schemas>(path: string, schemas: Wanted, answer: (asked: Asked<Wanted>) => unknown): Route => ({
    method,
    path,
    schemas,
    answer: answer as Route['answer'],
  });

export const get = routeFor('GET');
export const post = routeFor('POST');
export const put = routeFor('PUT');

/** Who asked for something that others will read about: `user@node`. */
export const askedBy = (user: string | undefined, node: string): string => `${printable(user ?? 'somebody')}@${node}`;

/**
 * Waits until `work` is done, the caller hangs up, or `timeoutMs` have passed; both of these are `timed-out`, with `what`.
 */
export const waitPatiently = async <T>(
  work: (signal: AbortSignal) => Promise<T>,
  what: string,
  hungUp: AbortSignal,
  timeoutMs: number | undefined,
): Promise<T> => {
  const late = new AbortController();
  const cancel = timeoutMs === undefined ? () => undefined : startTimer(timeoutMs, () => late.abort());
  const signal = AbortSignal.any([hungUp, late.signal]);
  try {
    return await work(signal);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new TriggerdError('timed-out', `${what} did not happen in time`, { cause: thrown });
  } finally {
    cancel();
  }
};
