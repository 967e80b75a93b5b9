import { Agent, request } from 'node:http';
import type { JobView, NewJobBody } from '../../src/api/contract/jobs.ts';

/** One keep-alive connection to a unix socket. */
export interface Client {
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  close(): void;
}

export const connectTo = (socketPath: string): Client => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const headers =
          text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
        const sent = request({ agent, socketPath, method, path, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => {
            const answer = Buffer.concat(chunks).toString();
            if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(answer));
            else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
          });
        });
        sent.once('error', reject);
        sent.end(text);
      }),
    close: () => agent.destroy(),
  };
};

export const postJob = (client: Client, body: NewJobBody): Promise<JobView> => client.call('POST', '/v1/jobs', body);
