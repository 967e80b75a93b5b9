/** A small real HTTPS server that answers as PuppetDB's /pdb/query/v4/reports does, to clients of its authority only. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificates } from './certificates.ts';

export interface StoredReport {
  readonly hash: string;
  readonly certname: string;
  readonly transaction_uuid: string | null;
  readonly job_id: string | null;
  readonly status: string;
}

export interface TestPuppetDb {
  readonly url: string;
  readonly reports: StoredReport[];
  /** Every query, in order. */
  readonly queries: unknown[];
  /** Takes the place of the usual answer. */
  answer: ((response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

export const startPuppetDb = async (certificates: Certificates): Promise<TestPuppetDb> => {
  const read = (name: string) => readFileSync(certificates.file(name));
  const tls = { ca: read('ca.pem'), cert: read('server.pem'), key: read('server.key') };
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const db: TestPuppetDb = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reports: [],
    queries: [],
    answer: undefined,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const text = (await request.toArray()).join('');
    if (request.method !== 'POST' || request.url !== '/pdb/query/v4/reports') return response.writeHead(404).end();
    const { query } = JSON.parse(text) as { query: unknown };
    db.queries.push(query);
    if (db.answer !== undefined) return db.answer(response);
    return respond(response, query, db.reports);
  });
  return db;
};

/** Understands `["extract", [fields], ["or", ["in", field, ["array", [values]]], …]]`, and nothing else, as strictly as PuppetDB. */
const respond = (response: ServerResponse, query: unknown, reports: readonly StoredReport[]): void => {
  const [extract, fields, [or, ...clauses]] = query as [string, (keyof StoredReport)[], [string, ...unknown[]]];
  const wanted = clauses as [string, keyof StoredReport, [string, unknown[]]][];
  if (extract !== 'extract' || or !== 'or' || wanted.length === 0 || !wanted.every(([verb]) => verb === 'in')) {
    response.writeHead(400).end('Query is not well formed');
    return;
  }
  const found = reports.filter((each) => wanted.some(([, field, [, values]]) => values.includes(each[field])));
  const rows = found.map((each) => Object.fromEntries(fields.map((field) => [field, each[field]])));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(rows));
};
