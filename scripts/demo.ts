/**
 * `npm run demo`: the main job on one machine. Real etcd with TLS, three real daemons, real Puppet runs; nothing is simulated,
 * and the exit code is 0 only when both load balancers' Puppet runs happened and did what their manifest says.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa, type ResultPromise } from 'execa';

const root = resolve(import.meta.dirname, '..');
const dir = mkdtempSync(join(tmpdir(), 'triggerd-demo-'));
const balancers = ['lb01', 'lb02'] as const;
const nodes = ['web01', ...balancers] as const;
const color = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
/** What is left of the terminal's width beside the indentation of `show`. */
const columns = (process.stdout.columns ?? 103) - 3;
const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[0m` : text);

/** What was started, to be stopped in reverse. */
const stops: (() => Promise<unknown>)[] = [];

const step = (text: string): void => console.log(`\n${bold(`── ${text}`)}`);
const show = (text: string): void => console.log(text.trimEnd().replace(/^/gm, '   '));

const until = async <T>(what: string, seconds: number, probe: () => Promise<T | undefined | false>): Promise<T> => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`${what}: not within ${seconds} s`);
};

const freePort = (): Promise<number> =>
  new Promise((found, failed) => {
    const server = createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const stopLater = (name: string, child: ResultPromise): void => {
  child.catch(() => undefined); // how it ended is reported below
  stops.push(async () => {
    child.kill('SIGTERM');
    await child.catch(() => undefined);
    if (child.exitCode !== 0 && child.signalCode !== 'SIGTERM')
      console.error(`${name} ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`);
  });
};

/** Puppet with files of its own: the demo touches nothing outside its folder. */
const puppetApply = (node: string): string[] => [
  'puppet',
  'apply',
  '--confdir',
  join(dir, node),
  join(dir, node, 'node.pp'),
];

const puppetConf = (node: string): string =>
  [
    '[main]',
    `certname = ${node}`,
    `vardir = ${dir}/${node}/var`,
    `publicdir = ${dir}/${node}/public`,
    `rundir = ${dir}/${node}/run`,
    `basemodulepath = ${dir}/modules`,
    '',
  ].join('\n');

const balancerManifest = (
  node: string,
): string => `# Every registered web server becomes a line of the load balancer's configuration.
$servers = split(inline_template('<%= Dir["${dir}/registry/*"].map { |f| File.basename(f) }.sort.join(",") %>'), ',')
file { '${dir}/${node}/haproxy.cfg':
  content => $servers.map |$server| { "server \${server} \${server}.example.com:80 check\\n" }.join,
}
`;

const webManifest = (): string => `file { '${dir}/registry/web01':
  content => "up\\n",
  notify  => Trigger['refresh load balancers'],
}

trigger { 'refresh load balancers':
  hosts => ['lb01', 'lb02'],
}
`;

/** The plugin that runs Puppet. A checkout that its group may write to (umask 002) is nothing that a daemon of root's starts. */
const copyPlugin = (): void => {
  const folder = join(dir, 'plugins/puppet');
  cpSync(join(root, 'plugins/puppet'), folder, { recursive: true });
  for (const path of [join(dir, 'plugins'), folder, ...readdirSync(folder).map((name) => join(folder, name))])
    chmodSync(path, 0o755);
};

/** web01's daemon runs etcd for all three, who know each other by the certificates that it makes. */
const etcdSection = (node: string, port: number): string => {
  if (node === 'web01') return `embedded = true\nembedded_port = ${port}`;
  const tls = join(dir, 'web01/state/etcd/tls');
  return [
    `endpoints = ["https://localhost:${port}"]`,
    `ca_file = "${tls}/ca.pem"`,
    `cert_file = "${tls}/client.pem"`,
    `key_file = "${tls}/client.pem"`,
  ].join('\n');
};

const prepare = (port: number): void => {
  for (const folder of ['modules', 'registry']) mkdirSync(join(dir, folder));
  symlinkSync(join(root, 'puppet-module'), join(dir, 'modules/trigger'));
  copyPlugin();
  for (const node of nodes) {
    mkdirSync(join(dir, node));
    writeFileSync(join(dir, node, 'puppet.conf'), puppetConf(node));
    const runCommand = puppetApply(node).join(' ');
    writeFileSync(
      join(dir, node, 'triggerd.toml'),
      `[node]\nname = "${node}"\nstate_dir = "${dir}/${node}/state"\nsocket = "${dir}/${node}/sock"\n\n` +
        `[etcd]\n${etcdSection(node, port)}\n\n[watch]\nrun_cmd = "${runCommand}"\n\n[plugins]\npath = "${dir}/plugins"\n`,
    );
    writeFileSync(join(dir, node, 'node.pp'), node === 'web01' ? webManifest() : balancerManifest(node));
  }
};

const startDaemon = async (node: string): Promise<void> => {
  const log = join(dir, node, 'log');
  const args = ['--config', join(dir, node, 'triggerd.toml')];
  const child = execa(join(root, 'bin/triggerd'), args, { stdout: 'ignore', stderr: { file: log } });
  stopLater(`triggerd on ${node}`, child);
  const text = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`triggerd on ${node} ended with exit code ${child.exitCode}`);
    return text().includes('"msg":"Ready"');
  };
  await until(`triggerd on ${node}`, 120, isReady).catch((error) => {
    throw new Error(`${error.message}\n${text()}`);
  });
};

const trigger = async (node: string, ...args: string[]): Promise<string> => {
  const config = join(dir, node, 'triggerd.toml');
  return (await execa(join(root, 'bin/trigger'), ['--config', config, ...args], { env: { COLUMNS: String(columns) } }))
    .stdout;
};

interface Status {
  readonly id: string;
  readonly trigger: string;
  readonly outcomes: Record<string, { stage: string; result: string | null; exit_code: number | null }>;
}

const finalStatus = (): Promise<Status> =>
  until('the runs on both load balancers', 300, async () => {
    const [latest] = JSON.parse(await trigger('web01', 'status', '--json')) as Status[];
    const stages = Object.values(latest?.outcomes ?? {}).map((outcome) => outcome.stage);
    return stages.length === 2 && stages.every((stage) => stage === 'finished' || stage === 'skipped') && latest;
  });

const verify = (status: Status): void => {
  for (const node of balancers) {
    const outcome = status.outcomes[node];
    if (outcome?.result !== 'succeeded' || outcome.exit_code !== 2)
      throw new Error(`${node}: ${JSON.stringify(outcome)}`);
    const config = readFileSync(join(dir, node, 'haproxy.cfg'), 'utf8');
    if (!config.includes('server web01 ')) throw new Error(`${node}: haproxy.cfg does not know web01`);
  }
};

const demo = async (): Promise<void> => {
  step('three daemons, and etcd: web01, lb01, lb02');
  prepare(await freePort());
  await startDaemon('web01');
  await Promise.all(balancers.map(startDaemon));
  show(await trigger('web01', 'nodes'));

  step('web01: a manifest whose changed file notifies the load balancers');
  show(webManifest());

  step('web01: puppet apply');
  const [program = 'puppet', ...args] = puppetApply('web01');
  const env = { TRIGGERD_CLIENT_JSON: join(dir, 'web01/state/etcd/client.json') };
  const applied = await execa(
    program,
    [...args, '--detailed-exitcodes', ...(color ? ['--color', 'ansi'] : ['--color', 'false'])],
    {
      env,
      reject: false,
    },
  );
  show(applied.stdout);
  if (applied.exitCode !== 2) throw new Error(`puppet apply on web01 exited ${applied.exitCode}\n${applied.stderr}`);

  step('lb01 and lb02: their queues run Puppet');
  // A firing that lb01 skips has no job; its reason is shown below.
  await until(
    'a running Puppet run',
    120,
    async () =>
      /running|finished/.test(await trigger('lb01', 'queue')) || /skipped/.test(await trigger('web01', 'status')),
  );
  console.log(dim('   lb01$ trigger queue'));
  show(await trigger('lb01', 'queue'));
  const status = await finalStatus();
  for (const node of balancers) {
    console.log(dim(`   ${node}$ trigger queue`));
    show(await trigger(node, 'queue'));
  }

  step('web01: what came back (trigger status)');
  show(await trigger('web01', 'status', status.id));

  step('lb01: what its Puppet run wrote (haproxy.cfg)');
  verify(status);
  show(readFileSync(join(dir, 'lb01/haproxy.cfg'), 'utf8'));

  step('lb01: why did Puppet run here? (trigger why)');
  const why = await trigger('lb01', 'why', 'lb01');
  if (!why.includes('changed on web01')) throw new Error(`trigger why does not lead back to web01:\n${why}`);
  show(why);
};

const stopAll = async (): Promise<void> => {
  while (stops.length > 0) await stops.pop()?.();
  rmSync(dir, { recursive: true, force: true });
};

process.once('SIGINT', () => void stopAll().finally(() => process.exit(130)));
const startedAt = Date.now();
try {
  await demo();
  console.log(
    `\n${bold('Done')}: one changed file on web01, two Puppet runs elsewhere, in ${Math.round((Date.now() - startedAt) / 1000)} s.`,
  );
} catch (error) {
  console.error(`\ndemo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
