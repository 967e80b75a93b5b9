/** HTTP over the daemon's control socket. Speaks `src/api/contract/`; turns every failure into a `TriggerdError`. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ErrorView } from '../../api/contract/errors.ts';
import { isErrorCode, TriggerdError } from '../../domain/errors.ts';
import { formatDuration } from '../../kit/duration.ts';
import { Lines } from '../../kit/lines.ts';
import { Interrupted } from './interruption.ts';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly body?: unknown;
  /** Gives up the call; a plain Ctrl-C is looked after already. */
  readonly signal?: AbortSignal;
  /** The daemon answers when something has happened: no limit on how long that takes. */
  readonly patient?: boolean;
}

export interface DaemonClient {
  /** The answer's JSON document. */
  request<Answer>(path: string, call?: Call): Promise<Answer>;
  /** The answer's bytes as they come. */
  stream(path: string, call?: Call): Promise<ByteStream>;
  /** The answer's lines (NDJSON), each parsed. */
  lines<Line>(path: string, call?: Call): Promise<AsyncIterable<Line>>;
}

export interface ByteStream {
  readonly headers: IncomingHttpHeaders;
  readonly chunks: AsyncIterable<Buffer>;
}

/** Not by `import`: that reads every export of the module, and one of them loads all of `fetch`, a fifth of our start. */
const http = process.getBuiltinModule('node:http');

/** A daemon that says nothing for this long is not well. */
const answerTimeoutMs = 30_000;

/** `socket` is asked for at the first call; `interrupt` is Ctrl-C. */
export const daemonClient = (
  socket: () => Promise<string>,
  interrupt: AbortSignal,
  answerWithinMs = answerTimeoutMs,
): DaemonClient => {
  /** The chunks of a good answer's body; what is no good answer throws. */
  const open = async (path: string, call: Call): Promise<ByteStream> => {
    const signal = call.signal === undefined ? interrupt : AbortSignal.any([interrupt, call.signal]);
    const response = await send(await socket(), path, call, signal, answerWithinMs);
    const chunks = chunksOf(response, signal);
    if (response.statusCode === undefined || response.statusCode >= 300) throw await refusal(response, chunks);
    return { headers: response.headers, chunks };
  };
  return {
    request: async <Answer>(path: string, call: Call = {}) =>
      parseAnswer(await readAll((await open(path, call)).chunks)) as Answer,
    stream: (path, call = {}) => open(path, { ...call, patient: true }),
    lines: async <Line>(path: string, call: Call = {}) =>
      linesOf<Line>((await open(path, { ...call, patient: true })).chunks),
  };
};

const send = (
  socketPath: string,
  path: string,
  call: Call,
  signal: AbortSignal,
  answerWithinMs: number,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers: Record<string, string | number> = { host: 'triggerd', connection: 'close' };
    if (body !== undefined)
      Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    const request = http.request({ socketPath, path, method: call.method ?? 'GET', headers, agent: false, signal });
    request.once('response', resolve);
    request.once('error', (error) => reject(signal.aborted ? new Interrupted() : castSocketError(error, socketPath)));
    if (call.patient !== true)
      request.setTimeout(answerWithinMs, () => request.destroy(silent(socketPath, answerWithinMs)));
    request.end(body);
  });

const silent = (socketPath: string, ms: number): TriggerdError =>
  new TriggerdError('daemon-silent', `the daemon on ${socketPath} did not answer within ${formatDuration(ms)}`);

const castSocketError = (error: NodeJS.ErrnoException, socketPath: string): Error => {
  if (error instanceof TriggerdError) return error;
  if (error.code?.startsWith('HPE_'))
    return new TriggerdError('daemon-answer', `the program that listens on ${socketPath} does not speak HTTP`, {
      cause: error,
    });
  return new TriggerdError('daemon-unreachable', socketFailure(error, socketPath), { cause: error });
};

const socketFailure = (error: NodeJS.ErrnoException, socketPath: string): string => {
  switch (error.code) {
    case 'ENOENT':
      return `there is no socket ${socketPath}: triggerd does not run here, or uses another socket`;
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return `nothing listens on ${socketPath}: triggerd has ended`;
    case 'EACCES':
    case 'EPERM':
      return `no permission for ${socketPath}: only root and the socket’s group may use it`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `the daemon on ${socketPath} closed the connection: it is stopping, or has ended`;
    default:
      return `${socketPath}: ${error.message}`;
  }
};

/** No JSON document of the daemon is larger. Whatever else may listen on its socket is not trusted to make sense. */
const maxAnswerBytes = 64 * 2 ** 20;

/** An answer that is not 2xx → the error that the daemon meant. */
const refusal = async (response: IncomingMessage, chunks: AsyncIterable<Buffer>): Promise<TriggerdError> => {
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

const parseAnswer = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TriggerdError('daemon-answer', 'the daemon’s answer is not JSON', { cause: error });
  }
};

const readAll = async (body: AsyncIterable<Buffer>): Promise<string> => {
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
