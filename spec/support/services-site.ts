import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { BrokerEndpoint } from '../../src/domain/broker-address.ts';
import { type EtcdTestOptions, freePort, startEtcd, type TestEtcd } from './etcd.ts';
import { type Answer, createNode, root, type TestNode } from './node.ts';
import { until } from './wait.ts';

export const password = 'correct horse battery';

export interface SiteBroker extends BrokerEndpoint {
  readonly node: TestNode;
  /** Its configuration has this port and it may be started again. */
  readonly port: number;
}

/** Real brokers on a real etcd, with the team `team1` and its admin `hp`. */
export interface ServicesSite {
  readonly etcd: TestEtcd;
  readonly brokers: readonly SiteBroker[];
  /** A `triggerfs-…` command of hp's. */
  run(program: string, args: readonly string[], input?: string): Promise<Answer>;
  /** Makes a worker; gives its token. */
  addWorker(identity: string): Promise<string>;
  /** hp's configuration file. */
  readonly configFile: string;
  remove(): Promise<void>;
}

export const startSite = async ({
  brokers: count = 1,
  heartbeat = '1s',
  config = '',
  etcd: etcdOptions = {} as EtcdTestOptions,
} = {}): Promise<ServicesSite> => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-site-'));
  const etcd = await startEtcd(etcdOptions);
  const brokers: SiteBroker[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(brokers.map(({ node }) => node.remove()));
    await etcd.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (let number = 1; number <= count; number++)
      brokers.push(await startBroker(`broker${number}`, etcd, heartbeat, config));
    const [first] = brokers;
    if (first === undefined) throw new Error('a site has a broker');
    const admin = ['admin', 'init', '--team', 'team1', '--identity', 'hp', '--password-stdin'];
    const initialised = await execa(join(root, 'bin/trigger'), [...admin, '--socket', first.node.socket], {
      input: `${password}\n`,
    });
    if (initialised.exitCode !== 0) throw new Error(initialised.stderr);
  } catch (error) {
    await remove();
    throw error;
  }
  const configFile = join(folder, 'triggerfs.toml');
  writeFileSync(configFile, `${mainSection(brokers)}team = "team1"\nidentity = "hp"\nsecret = "${password}"\n`, {
    mode: 0o600,
  });
  const run: ServicesSite['run'] = async (program, args, input = '') => {
    const env = { HOME: folder, TRIGGERD_CONFIG: '' };
    const { stdout, stderr, exitCode } = await execa(join(root, 'bin', program), args, { input, env, reject: false });
    return { stdout, stderr, exitCode };
  };
  const addWorker = async (identity: string): Promise<string> => {
    const { stdout, stderr } = await run('triggerfs-cli', ['-json', '-c', `set workers identity ${identity}`]);
    const token = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(`${stdout}${stderr}`)?.[0];
    if (token === undefined) throw new Error(`no token of ${identity} in: ${stdout}${stderr}`);
    return token;
  };
  return { etcd, brokers, run, addWorker, configFile, remove };
};

/** `[main]` with brokers and keys; further keys may follow. */
export const mainSection = (brokers: readonly BrokerEndpoint[]): string => `[main]
broker = ${JSON.stringify(brokers.map(({ endpoint }) => endpoint))}
broker_key = ${JSON.stringify(brokers.map(({ key }) => key))}
`;

const startBroker = async (name: string, etcd: TestEtcd, heartbeat: string, config: string): Promise<SiteBroker> => {
  const port = await freePort();
  const endpoint = `tcp://127.0.0.1:${port}`;
  const node = createNode({
    name,
    etcd: [etcd.endpoint],
    watch: 'enabled = false',
    config: `[broker]\nlisten = "${endpoint}"\nadvertise = "${endpoint}"\nheartbeat = "${heartbeat}"\n${config}`,
  });
  await node.start();
  const key = await until(async () => (await node.trigger('broker', 'key')).stdout.trim(), `the key of ${name}`);
  return { endpoint, key, node, port };
};
