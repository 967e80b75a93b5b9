import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { etcdOptions } from '../../../src/daemon/compose/etcd.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { parse } from '../../unit/config/parse.ts';

describe('the certificates for etcd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-etcd-options-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string) => join(folder, name);
  const write = (text: string) => {
    for (const name of ['ca', 'cert', 'key']) writeFileSync(file(name), `${text} ${name}`, { mode: 0o600 });
  };
  const toml = `[etcd]\nendpoints = ["https://etcd:2379"]
ca_file = "${file('ca')}"\ncert_file = "${file('cert')}"\nkey_file = "${file('key')}"\n`;

  it('the certificates for etcd are read for each connection, so that a renewed one needs no restart', () => {
    write('old');
    const log = recordingLog();
    const options = etcdOptions(parse(toml).config, log);
    const texts = () => Object.values(options.tls ?? {}).map(String);
    expect(texts()).toEqual(['old ca', 'old cert', 'old key']);
    write('new');
    expect(texts()).toEqual(['new ca', 'new cert', 'new key']);
    // In the middle of a replacement the last ones serve.
    rmSync(file('key'));
    expect(texts()).toEqual(['new ca', 'new cert', 'new key']);
    expect(log.at('warn')[0]?.fields).toMatchObject({ reason: expect.stringContaining(file('key')) });
  });

  it('the certificates for etcd must exist at the start', () => {
    write('old');
    rmSync(file('cert'));
    expect(() => etcdOptions(parse(toml).config, recordingLog())).toThrow(/etcd\.cert_file/);
  });

  it('the certificates for an embedded etcd are its own, whatever the scheme of the endpoint is', () => {
    const text = `[node]\nstate_dir = "${folder}"\n[etcd]\nembedded = true\nendpoints = ["http://localhost:12345"]\n`;
    expect(() => etcdOptions(parse(text).config, recordingLog())).toThrow(join(folder, 'etcd/tls/ca.pem'));
  });
});
