/** A broker with a real registry in this process, a real worker beside it, and trigger files on top of both. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { curveKeyPair } from 'zeromq';
import { type RunningBroker, runBroker } from '../../src/daemon/compose/run-broker.ts';
import { silentLog } from '../../src/kit/log.ts';
import type { Statement } from '../../src/registry/statements.ts';
import { recordingObserver, testLimits } from './bus.ts';
import { MemoryStore } from './memory-store.ts';
import { local, openAccounts, password } from './registry.ts';
import { until } from './wait.ts';

const root = join(import.meta.dirname, '../..');

export interface Services {
  readonly folder: string;
  /** Carries out a statement as root, in team1; the first row of its answer. */
  say(
    statement: { readonly verb: Statement['verb'] } & Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>>;
  hits(definition: string): Promise<number>;
  startBroker(): Promise<void>;
  stopBroker(): Promise<void>;
  /** `triggerfs-worker -identity NAME`, attached to `demoservice`; resolves when it is online. */
  startWorker(name: string): Promise<void>;
  /** SIGKILL; what it runs continues. */
  killWorker(name: string): Promise<void>;
  /** A configuration file for the user of team1, with these lines in `[triggerfs]`. */
  configure(triggerfs: string): string;
  close(): Promise<void>;
}

export const startServices = async (): Promise<Services> => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-services-'));
  const store = new MemoryStore();
  const accounts = await openAccounts({ store, prefix: '/trigger' });
  const { registry } = accounts;
  await registry.initialise({ team: 'team1', identity: 'hp', secret: password });
  const keys = curveKeyPair();
  const observer = recordingObserver();
  const children = new Map<string, { kill(signal: 'SIGKILL'): boolean; then: Promise<unknown>['then'] }>();
  let listen = 'tcp://127.0.0.1:0';
  let broker: RunningBroker | undefined;
  const startBroker = async (): Promise<void> => {
    broker = await runBroker({
      ...{
        id: 'broker01',
        listen,
        secretKey: keys.secretKey,
        registry: accounts.mirrored,
        accounts: accounts.accounts,
      },
      presence: { online: () => undefined, offline: () => undefined },
      history: { record: () => undefined },
      brokers: () => [{ id: 'broker01', endpoint: listen, key: keys.publicKey }],
      limits: testLimits,
      ...{ drainMs: 0, observer, log: silentLog },
      onDead: (error) => {
        throw error;
      },
    });
    listen = broker.endpoint;
  };
  const main = () => `[main]\nbroker = "${listen}"\nbroker_key = "${keys.publicKey}"\n`;
  const say: Services['say'] = async (statement) =>
    (await registry.execute(local, { team: 'team1', ...statement })).rows[0] as Record<string, unknown>;
  await startBroker();
  await say({ verb: 'service.add', name: 'demoservice' });
  await say({ verb: 'service.set', name: 'demoservice', visibility: 'team' });
  return {
    folder,
    say,
    startBroker,
    stopBroker: async () => broker?.stop(),
    hits: async (name) => {
      const { rows } = await registry.execute(local, { verb: 'definition.list', team: 'team1' });
      return Number((rows as { name: string; hits: number }[]).find((row) => row.name === name)?.hits);
    },
    startWorker: async (name) => {
      const { token } = await say({ verb: 'worker.add', identity: name });
      await say({ verb: 'service.attach', name: 'demoservice', worker: name });
      const state = join(folder, name);
      const config = join(folder, `${name}.toml`);
      writeFileSync(
        config,
        `${main()}[node]\nname = "${name}"\nstate_dir = "${state}"\n[workers]\npluginspath = "${join(folder, 'plugins')}"
[workers.team1.${name}]\ntoken = "${token}"\n`,
        { mode: 0o600 },
      );
      mkdirSync(join(folder, 'plugins'), { recursive: true });
      const worker = execa(join(root, 'bin/triggerfs-worker'), ['-identity', name, '-config', config], {
        reject: false,
      });
      children.set(name, worker);
      const online = (): number => observer.lines.filter((line) => line === `online team1/${name}`).length;
      const before = online();
      await until(() => online() > before, `worker ${name}`);
    },
    killWorker: async (name) => {
      const worker = children.get(name);
      worker?.kill('SIGKILL');
      await worker;
    },
    configure: (triggerfs) => {
      const file = join(folder, 'triggerfs.toml');
      const login = `team = "team1"\nidentity = "hp"\nsecret = "${password}"\n`;
      writeFileSync(file, `${main()}${login}[triggerfs]\n${triggerfs}\n`, { mode: 0o600 });
      return file;
    },
    close: async () => {
      for (const child of children.values()) child.kill('SIGKILL');
      await Promise.all(children.values());
      await broker?.stop();
      await accounts.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 10 });
    },
  };
};
