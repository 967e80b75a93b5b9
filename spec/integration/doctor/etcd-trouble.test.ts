import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/doctor/finding.ts';
import { errorCatalogue } from '../../../src/domain/errors.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { freePort, startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { createNode, type TestNode } from '../../support/node.ts';
import { until } from '../../support/wait.ts';

describe('an etcd that a node cannot use as configured', () => {
  let certificates: Certificates;
  const nodes: TestNode[] = [];
  const servers: TestEtcd[] = [];
  const node = (endpoint: string, env: Record<string, string> = {}): TestNode => {
    const made = createNode({ name: 'lb01', etcd: [endpoint], watch: 'enabled = false', env });
    nodes.push(made);
    return made;
  };
  const serve = async (name: string): Promise<string> => {
    const [cert, key] = [certificates.file(`${name}.pem`), certificates.file(`${name}.key`)];
    const etcd = await startEtcd({ tls: { ca: certificates.file('ca.pem'), cert, key }, asksForCertificates: false });
    servers.push(etcd);
    return etcd.endpoint;
  };
  const etcdFindings = async (patient: TestNode): Promise<Finding[]> => {
    const { stdout, stderr } = await patient.trigger('doctor', '--only', 'etcd', '--json');
    // Nor does Node.js warn of an IP address in TLS.
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };

  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((each) => each.remove()));
    await Promise.all(servers.splice(0).map((each) => each.stop()));
  });
  afterAll(() => certificates?.remove());

  it.each([
    ['speaks TLS and is asked by http://', 'server', 'http', 'etcd-wants-tls', 'write https://'],
    ['has an expired certificate', 'expired', 'https', 'etcd-certificate', 'certificate has expired'],
    ['has a certificate of another name', 'misnamed', 'https', 'etcd-certificate', 'does not match certificate'],
  ] as const)('doctor and the daemon’s log name an etcd that %s', async (_, name, scheme, code, words) => {
    const endpoint = await serve(name);
    const patient =
      scheme === 'http'
        ? node(endpoint.replace('https', 'http'))
        : node(endpoint, { TRIGGERD_ETCD_CA_FILE: certificates.file('ca.pem') });
    expect(await etcdFindings(patient)).toMatchObject([
      { state: 'wrong', what: expect.stringContaining(words), remedy: errorCatalogue[code].remedy },
    ]);
    await patient.start();
    const said = () => patient.log().find(({ error }) => (error as { code?: string } | undefined)?.code === code);
    expect(await until(said, `${code} in the daemon’s log`)).toMatchObject({
      error: { message: expect.stringContaining(words) },
    });
  });
});

describe('etcd behind its gRPC proxy, which has no JSON gateway', () => {
  let etcd: TestEtcd;
  let proxy: ChildProcess;
  let patient: TestNode;

  beforeAll(async () => {
    etcd = await startEtcd();
    const address = `127.0.0.1:${await freePort()}`;
    const words = ['--endpoints', `127.0.0.1:${etcd.ports.client}`, '--listen-addr', address];
    proxy = spawn('etcd', ['grpc-proxy', 'start', ...words], { stdio: 'ignore', env: { PATH: process.env['PATH'] } });
    patient = createNode({ name: 'lb01', etcd: [`http://${address}`], watch: 'enabled = false' });
  });
  afterAll(async () => {
    await patient?.remove();
    proxy?.kill('SIGKILL');
    await etcd?.stop();
  });

  it('a daemon behind etcd’s gRPC proxy, without a JSON gateway, works: the node is present, and doctor finds etcd in order', async () => {
    await patient.start();
    await until(async () => (await patient.trigger('nodes')).stdout.includes('present'), 'the node to be present');
    const { stdout } = await patient.trigger('doctor', '--only', 'etcd', '--json');
    expect(JSON.parse(stdout)[0]).toMatchObject({ what: expect.stringMatching(/: etcd 3\.\d+\.\d+, answers in /) });
  });
});
