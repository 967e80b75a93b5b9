import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createReportSource, type PuppetDbOptions } from '../../../src/adapters/puppetdb/report-query.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { startPuppetDb, type TestPuppetDb } from '../../support/puppetdb.ts';

const hash = 'c0ffee0123456789c0ffee0123456789c0ffee01';
const wanted = { transactionUuids: ['0c1d2e3f'], jobIds: ['triggerd-7.1@lb01'] };

describe('reports from PuppetDB', () => {
  let certificates: Certificates;
  let db: TestPuppetDb;

  beforeAll(async () => {
    certificates = makeCertificates();
    db = await startPuppetDb(certificates);
    const stored = { certname: 'lb01', status: 'changed' };
    db.reports.push(
      { ...stored, hash, transaction_uuid: '0c1d2e3f', job_id: null },
      { ...stored, hash: 'ab12', transaction_uuid: 'other', job_id: 'triggerd-7.1@lb01' },
      { ...stored, hash: 'ff', transaction_uuid: 'nobody asks', job_id: null },
    );
  });
  beforeEach(() => {
    db.answer = undefined;
    db.queries.length = 0;
  });
  afterAll(async () => {
    await db?.close();
    certificates?.remove();
  });

  const find = (changes: Partial<PuppetDbOptions> = {}) =>
    createReportSource({
      url: db.url,
      caFile: certificates.file('ca.pem'),
      certFile: certificates.file('client.pem'),
      keyFile: certificates.file('client.key'),
      timeoutMs: 60_000,
      ...changes,
    }).find(wanted);

  it('reports from PuppetDB are found by transaction and by job ID, with a link to each', async () => {
    expect(await find()).toEqual({
      kind: 'found',
      reports: [
        {
          ...{ hash, certname: 'lb01', transactionUuid: '0c1d2e3f', jobId: null, status: 'changed' },
          url: `${db.url}/pdb/query/v4/reports/${hash}/events`,
        },
        expect.objectContaining({ hash: 'ab12', jobId: 'triggerd-7.1@lb01' }),
      ],
    });
    expect(db.queries).toHaveLength(1);
  });

  it('reports from PuppetDB link to a page for people where one is configured', async () => {
    const answer = await find({ reportUrl: 'https://board.example.com/report/{certname}/{hash}' });
    expect(answer).toMatchObject({ reports: [{ url: `https://board.example.com/report/lb01/${hash}` }, {}] });
  });

  it('reports from PuppetDB show nobody the password of the linked page', async () => {
    const answer = await find({ reportUrl: 'https://hp:a@b@board.example.com/{hash}?mail=me@example.com' });
    expect(answer).toMatchObject({ reports: [{ url: `https://board.example.com/${hash}?mail=me@example.com` }, {}] });
  });

  it.each<[string, RegExp, () => Partial<PuppetDbOptions>]>([
    [
      'PuppetDB’s certificate is not by our authority',
      /self.signed|unable to verify/,
      () => ({ caFile: certificates.file('other.pem') }),
    ],
    [
      'it refuses our certificate',
      /alert|reset|EPIPE|hang up/,
      () => ({ certFile: certificates.file('stranger.pem'), keyFile: certificates.file('stranger.key') }),
    ],
    ['nothing listens', /ECONNREFUSED/, () => ({ url: 'https://127.0.0.1:1' })],
    ['a file is missing', /ENOENT/, () => ({ caFile: '/nonexistent/ca.pem' })],
  ])('reports from PuppetDB are none, with the reason, when %s', async (_, reason, changes) => {
    expect(await find(changes())).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(new RegExp(`^PuppetDB \\(https://127\\.0\\.0\\.1:\\d+\\): .*(${reason.source})`)),
    });
  });

  it('reports from PuppetDB are none when a key is no key', async () => {
    writeFileSync(certificates.file('odd.key'), 'x');
    expect(await find({ keyFile: certificates.file('odd.key') })).toMatchObject({ kind: 'failed' });
  });

  it.each<[string, string, NonNullable<TestPuppetDb['answer']>]>([
    [
      'an error',
      'HTTP status 503 PuppetDB is starting',
      (response) => response.writeHead(503).end('PuppetDB is starting\n'),
    ],
    ['no JSON', 'its answer was not understood', (response) => response.end('<html>')],
    ['other JSON', 'its answer was not understood', (response) => response.end('[{"hash": 7}]')],
    [
      'a path for a hash',
      'its answer was not understood',
      (response) => response.end('[{"hash": "../x", "certname": "a"}]'),
    ],
    [
      'half an answer',
      'the connection broke in the middle of its answer',
      (response) => response.writeHead(200, { 'content-length': 99 }).write('[', () => response.destroy()),
    ],
  ])('reports from PuppetDB are none when the answer is %s', async (_, reason, answer) => {
    db.answer = answer;
    expect(await find()).toEqual({ kind: 'failed', reason: `PuppetDB (${db.url}): ${reason}` });
  });

  it('reports from PuppetDB are waited for up to the limit, even in the middle of an answer', async () => {
    for (const answer of [
      () => undefined,
      (response: Parameters<NonNullable<TestPuppetDb['answer']>>[0]) => void response.write('['),
    ]) {
      db.answer = answer;
      expect(await find({ timeoutMs: 500 })).toEqual({
        kind: 'failed',
        reason: `PuppetDB (${db.url}): no answer within 500ms`,
      });
    }
  });
});
