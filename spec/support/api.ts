import { request } from 'node:http';
import type { FiredView, NewFiringBody } from '../../src/api/contract/firings.ts';
import type { JobView, NewJobBody } from '../../src/api/contract/jobs.ts';

/** One call over a control socket, for tests that need many and can't start a process for each. */
export const call = <T>(socketPath: string, method: string, path: string, body?: unknown): Promise<T> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    // Without an agent: a connection that is kept would be one more where a test counts those of the programs.
    const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk;
      });
      response.once('end', () =>
        (response.statusCode ?? 500) < 300
          ? resolve(JSON.parse(answer) as T)
          : reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`)),
      );
    });
    sent.once('error', reject);
    sent.end(text);
  });

export const postFiring = (socket: string, body: NewFiringBody): Promise<FiredView> =>
  call(socket, 'POST', '/v1/firings', body);
export const postJob = (socket: string, body: NewJobBody): Promise<JobView> => call(socket, 'POST', '/v1/jobs', body);
