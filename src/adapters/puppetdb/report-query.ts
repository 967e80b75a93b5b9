/** PuppetDB's query API (v4): the reports of given runs. */

import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import * as v from 'valibot';
import type { PuppetReport, ReportAnswer, ReportSource, WantedReports } from '../../firings/why/look-up.ts';
import { withoutUser } from '../../kit/address.ts';
import { formatDuration } from '../../kit/duration.ts';
import { readConfiguredFile } from '../files/configured-file.ts';

export interface PuppetDbOptions {
  /** `https://host:port`. */
  readonly url: string;
  /** PEM files, read anew for every query: Puppet renews certificates. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** How long a query may take, everything included. */
  readonly timeoutMs: number;
  /** A report's page, with `{hash}` and `{certname}`; without it, links lead to PuppetDB itself. */
  readonly reportUrl?: string | undefined;
}

const maxAnswerBytes = 4 * 2 ** 20;

const reportsDocument = v.array(
  v.object({
    hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{1,128}$/)),
    certname: v.string(),
    transaction_uuid: v.nullish(v.string(), null),
    job_id: v.nullish(v.string(), null),
    status: v.nullish(v.string(), null),
  }),
);

export const createReportSource = (options: PuppetDbOptions): ReportSource => ({
  find: async (wanted): Promise<ReportAnswer> => {
    const signal = AbortSignal.timeout(options.timeoutMs);
    try {
      const answer = await post(options, JSON.stringify({ query: queryFor(wanted) }), signal);
      const reports = v.parse(reportsDocument, JSON.parse(answer)).map((each) => toReport(each, options));
      return { kind: 'found', reports };
    } catch (error) {
      const why = signal.aborted ? `no answer within ${formatDuration(options.timeoutMs)}` : reasonOf(error);
      return { kind: 'failed', reason: `PuppetDB (${options.url}): ${why}` };
    }
  },
});

const queryFor = ({ transactionUuids, jobIds }: WantedReports) => [
  'extract',
  ['hash', 'certname', 'transaction_uuid', 'job_id', 'status'],
  [
    'or',
    ...(transactionUuids.length > 0 ? [['in', 'transaction_uuid', ['array', transactionUuids]]] : []),
    ...(jobIds.length > 0 ? [['in', 'job_id', ['array', jobIds]]] : []),
  ],
];

const post = async (options: PuppetDbOptions, body: string, signal: AbortSignal): Promise<string> => {
  const url = new URL('/pdb/query/v4/reports', options.url);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const request = send(url, { method: 'POST', headers, agent: false, signal, ...readTls(options) });
  const answer = once(request, 'response') as Promise<[IncomingMessage]>;
  // `once` hears errors until there is a response; from then on reading that fails.
  request.on('error', () => undefined);
  request.end(body);
  const [response] = await answer;
  const text = await readAll(response);
  if (response.statusCode !== 200) throw new Error(`HTTP status ${response.statusCode} ${text.slice(0, 200).trim()}`);
  return text;
};

const readTls = ({ caFile, certFile, keyFile }: PuppetDbOptions) => ({
  ...(caFile === undefined ? {} : { ca: readConfiguredFile('puppetdb.ca_file', caFile).content }),
  ...(certFile === undefined ? {} : { cert: readConfiguredFile('puppetdb.cert_file', certFile).content }),
  ...(keyFile === undefined ? {} : { key: readConfiguredFile('puppetdb.key_file', keyFile).content }),
});

const readAll = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new Error('its answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const toReport = (
  { transaction_uuid, job_id, ...same }: v.InferOutput<typeof reportsDocument>[number],
  { url, reportUrl }: PuppetDbOptions,
): PuppetReport => ({
  ...same,
  transactionUuid: transaction_uuid,
  jobId: job_id,
  url:
    reportUrl === undefined
      ? new URL(`/pdb/query/v4/reports/${same.hash}/events`, url).href
      : withoutUser(reportUrl)
          .replaceAll('{hash}', same.hash)
          .replaceAll('{certname}', () => encodeURIComponent(same.certname)),
});

const reasonOf = (error: unknown): string => {
  if (error instanceof SyntaxError || error instanceof v.ValiError) return 'its answer was not understood';
  // Several addresses failed, each for a reason of its own.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message === 'aborted' ? 'the connection broke in the middle of its answer' : error.message;
};
