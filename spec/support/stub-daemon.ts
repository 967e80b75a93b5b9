/** A small real HTTP server on a Unix socket that speaks the control API as a test says. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorView } from '../../src/api/contract/errors.ts';

export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Gives the JSON document to answer with, or takes the response over. */
export type Answer = (request: StubRequest, response: ServerResponse) => unknown;

export interface StubDaemon {
  readonly socket: string;
  readonly folder: string;
  /** Everything that was asked, in order. */
  readonly requests: StubRequest[];
  close(): Promise<void>;
}

/** What an answer gives when it has written to the response itself. */
export const takenOver = Symbol('taken over');

/** Routes are `GET /v1/queues`; what has no route is answered with 404. */
export const startStubDaemon = async (routes: Readonly<Record<string, Answer>>): Promise<StubDaemon> => {
  const folder = mkdtempSync(join(tmpdir(), 'stub-daemon-'));
  const socket = join(folder, 'socket');
  const requests: StubRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming);
    requests.push(request);
    const route = routes[`${request.method} ${request.path}`];
    const document =
      route === undefined
        ? refuse(response, 404, { code: 'job-not-found', message: `no ${request.path}` })
        : route(request, response);
    if (document !== takenOver) response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    folder,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      rmSync(folder, { recursive: true });
    },
  };
};

/** Answers with an error as the daemon would. */
export const refuse = (
  response: ServerResponse,
  status: number,
  error: Pick<ErrorView, 'code' | 'message'>,
): typeof takenOver => {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ error: { remedy: '', details: {}, ...error } }));
  return takenOver;
};

const readRequest = async (incoming: IncomingMessage): Promise<StubRequest> => {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  const url = new URL(incoming.url ?? '/', 'http://stub');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    body: text === '' ? undefined : JSON.parse(text),
  };
};
