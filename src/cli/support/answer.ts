/** Reading what the daemon answers. Whatever else may listen on its socket is not trusted to make sense. */

import type { IncomingMessage } from 'node:http';
import type { ErrorView } from '../../api/contract/errors.ts';
import { isErrorCode, TriggerdError } from '../../domain/errors.ts';
import { Lines } from '../../kit/lines.ts';
import { Interrupted } from './interrupted.ts';

/** No JSON document of the daemon is larger. */
const maxAnswerBytes = 64 * 2 ** 20;

/** An answer that is not 2xx → the error that the daemon meant. */
export const refusal = async (response: IncomingMessage, chunks: AsyncIterable<Buffer>): Promise<TriggerdError> => {
  const error = errorOf(parseAnswer(await readAll(chunks)));
  if (error !== undefined) return new TriggerdError(error.code, error.message, { details: error.details ?? {} });
  // Fastify's own answer while it closes.
  if (response.statusCode === 503) return new TriggerdError('daemon-unreachable', 'the daemon is stopping');
  return new TriggerdError('daemon-answer', `the daemon answered with HTTP status ${response.statusCode}`);
};

const errorOf = (answer: unknown): ErrorView | undefined => {
  const error = (answer as { error?: Partial<ErrorView> } | null)?.error;
  return error !== undefined && isErrorCode(error.code) && typeof error.message === 'string'
    ? (error as ErrorView)
    : undefined;
};

export const parseAnswer = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TriggerdError('daemon-answer', 'the daemon’s answer is not JSON', { cause: error });
  }
};

export const readAll = async (body: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new TriggerdError('daemon-answer', 'the daemon’s answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** The body's chunks; a connection that ends in the middle is an error, never a short answer. */
export async function* chunksOf(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    // Node words both alike here: an aborted request, and a peer that went away.
    if (signal.aborted) throw new Interrupted();
    const message = 'the daemon closed the connection in the middle of its answer';
    throw new TriggerdError('daemon-unreachable', message, { cause: error });
  }
}

/** NDJSON: each line parsed. */
export async function* linesOf<Line>(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  const lines = new Lines();
  for await (const chunk of chunks)
    for (const line of lines.take(decoder.decode(chunk, { stream: true })))
      if (line.trim() !== '') yield parseAnswer(line) as Line;
  if (lines.begun.trim() !== '') yield parseAnswer(lines.begun) as Line;
}
