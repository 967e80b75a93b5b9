// biome-ignore-all lint/suspicious/noControlCharactersInRegex: control characters are what must not come
/** What an account of this machine, or a member of another team, gets through a door that somebody left open. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswords } from '../../src/adapters/crypto/passwords.ts';
import { createNode, root, type TestNode } from '../support/node.ts';
import { writePlugin } from '../support/requests.ts';
import { mainSection, type ServicesSite, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';
import { lastingWorker } from '../support/worker-process.ts';

const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'] as const;

describe('an account of this machine, where etcd asks for no credentials', () => {
  let site: ServicesSite;
  let folder: string;
  /** What hp's file is for whoever has given hp another password. */
  let stolen: string;
  const releases: (() => Promise<void>)[] = [];

  /** etcd's JSON gateway, as uid 65534. */
  const gateway = (verb: string, body: object): { kvs?: { key: string; value: string }[] } => {
    const url = `${site.etcd.endpoint}/v3/kv/${verb}`;
    const curl = ['curl', '--silent', '--show-error', '--fail', '--data', JSON.stringify(body), url];
    return JSON.parse(execFileSync('setpriv', [...asNobody, '--', ...curl], { encoding: 'utf8' }));
  };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  const startWorker = async (identity: string, config = ''): Promise<void> => {
    const token = await site.addWorker(identity);
    const worker = lastingWorker(site.brokers, { identity, token, plugins: null, config });
    releases.push(() => worker.remove());
    await worker.start();
    await worker.says('- Connected');
  };
  const askForCommand = async (service: string, command: string) => {
    const asked = ['-config', stolen, '-service', service, '-plugin', 'command', '-command', command];
    const { stdout, stderr, exitCode } = await execa(join(root, 'bin/triggerfs-client'), asked, { reject: false });
    return { stdout, stderr, exitCode };
  };

  beforeAll(async () => {
    site = await startSite();
    folder = mkdtempSync(join(tmpdir(), 'doors-'));
    stolen = join(folder, 'stolen.toml');
    await startWorker('plain');
    await startWorker('open', '[workers]\nallow = ["command"]\n');
    const token = await site.addWorker('node');
    const node = createNode({
      name: 'node',
      etcd: [site.etcd.endpoint],
      watch: 'enabled = false',
      config: `[workers.team1.node]\ntoken = "${token}"\n`,
    });
    releases.push(() => node.remove());
    await node.start();
    await until(() => node.log().some(({ msg }) => msg.endsWith('- Connected')), 'the node’s worker');
    expect(node.log().map(({ msg }) => msg)).toContainEqual(
      expect.stringContaining('set [workers] allow = ["command"]'),
    );

    const key = base64('/trigger/v1/registry/users/hp');
    const [user] = gateway('range', { key }).kvs ?? [];
    const document = JSON.parse(Buffer.from(user?.value ?? '', 'base64').toString());
    const secret_hash = await createPasswords().hash('a password of eve’s');
    gateway('put', { key, value: base64(JSON.stringify({ ...document, secret_hash })) });
    const login = 'team = "team1"\nidentity = "hp"\nsecret = "a password of eve’s"\n';
    writeFileSync(stolen, `${mainSection(site.brokers)}${login}`, { mode: 0o600 });
  });
  afterAll(async () => {
    await Promise.all(releases.map((release) => release()));
    await site?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('an admin’s password that was replaced in an open etcd runs no command on a worker that allows none', async () => {
    const proof = join(folder, 'proof');
    for (const worker of ['plain', 'node']) {
      const asked = await until(async () => {
        const answer = await askForCommand(worker, `id > ${proof}`);
        return answer.exitCode === 3 ? null : answer;
      }, 'the broker to have heard of the password');
      expect(asked.exitCode).not.toBe(0);
      expect(asked.stderr).toContain(`worker team1/${worker} does not start plugin command/command`);
      // Whoever may change that machine reads what to do.
      expect(asked.stderr).toContain('set [workers] allow = ["command"] there');
    }
    expect(existsSync(proof)).toBe(false);
    // The same attack where the machine's owner has allowed it: etcd is the door to close.
    expect((await askForCommand('open', 'id')).stdout).toContain('uid=0');
  });

  it('daemon, worker, mount and doctor name a password or token that every account can read', async () => {
    const wanted = 'every user can read it (mode 0644): chmod 600 ';
    const node = createNode({ name: 'exposed', etcd: [site.etcd.endpoint], config: '[main]\nsecret = "hunter2"\n' });
    releases.push(() => node.remove());
    chmodSync(node.configFile, 0o644);
    await node.start();
    expect(node.log().filter(({ msg }) => msg.includes(wanted))).toMatchObject([{ level: 40 }]);
    expect((await node.trigger('doctor')).stdout).toContain('holds secrets (main.secret) and every user can read it');

    const worker = lastingWorker(site.brokers, { identity: 'exposed' });
    releases.push(() => worker.remove());
    chmodSync(worker.configFile, 0o644);
    await worker.start();
    await worker.says(wanted);

    const mount = join(folder, 'mount.toml');
    const main = `team = "team1"\nidentity = "hp"\nsecret = "wrong"\n`;
    writeFileSync(mount, `${mainSection(site.brokers)}${main}`, { mode: 0o644 });
    const files = ['-config', mount, '-mountpoint', join(folder, 'mnt')];
    const { stderr } = await execa(join(root, 'bin/triggerfs'), files, { reject: false, env: { HOME: folder } });
    expect(stderr).toContain(wanted);
  });

  it('a worker that allows nothing still answers and shows its load', async () => {
    const ask = (plugin: string) =>
      site.run('triggerfs-client', ['-config', stolen, '-service', 'plain', '-plugin', plugin, '-command', 'hello']);
    expect((await ask('echo')).stdout).toContain('hello\n');
    expect((await ask('echo/fast')).stdout).toContain('hello\n');
    expect((await ask('monitor')).exitCode).toBe(0);
    for (const plugin of ['puppet', 'log', 'process/kill', 'file/stream', 'chain', 'forward', 'echo/../command'])
      expect(await ask(plugin)).not.toMatchObject({ exitCode: 0 });
  });

  it('the daemon at an open etcd says in its log and to doctor that it is open', async () => {
    const [broker] = site.brokers;
    const warnings = () => broker?.node.log().filter(({ code }) => code === 'etcd-open') ?? [];
    await until(() => warnings().length > 0, 'the warning');
    expect(warnings()).toHaveLength(1);
    const doctor = await broker?.node.trigger('doctor');
    expect(doctor).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('answers without credentials') });
  });
});

describe('a public service of another team', () => {
  /** Clipboard, title, a link, screen, cursor, C1, direction of text, another worker's name; colours are no harm. */
  const attack =
    '\u001b]52;c;cm0gLXJmIC8=\u0007\u001b]0;owned\u001b\\\u001b]8;;http://evil/\u001b\\x\u001b[2J\u001b[1;1H\u009b2J\u202e[safe@demo01] ok\r\u001b[31mred\u001b[0m';
  const harmless = 'x[safe@demo01] ok\u001b[31mred\u001b[0m';
  let site: ServicesSite;
  let folder: string;
  const releases: (() => Promise<void>)[] = [];

  /** What a command writes to a terminal of its own, byte by byte. */
  const onTerminal = async (program: string, args: readonly string[]): Promise<string> => {
    const words = [join(root, 'bin', program), ...args].map((word) => `'${word}'`).join(' ');
    const env = { HOME: dirname(site.configFile), TRIGGERD_CONFIG: '' };
    const { stdout } = await execa('script', ['--quiet', '--return', '--command', words, '/dev/null'], {
      env,
      reject: false,
      stdin: 'ignore',
    });
    return stdout.replaceAll('\r\n', '\n');
  };
  const node = (): TestNode => {
    const [broker] = site.brokers;
    if (broker === undefined) throw new Error('a site has a broker');
    return broker.node;
  };
  const asRoot = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await node().trigger(...args);
    if (exitCode !== 0) throw new Error(`trigger ${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  beforeAll(async () => {
    site = await startSite();
    folder = mkdtempSync(join(tmpdir(), 'doors-'));
    writeFileSync(join(folder, 'attack'), attack);
    writePlugin(folder, 'stats', `cat ${folder}/attack`);
    await asRoot('team', 'add', 'evil');
    const section = await asRoot('worker', 'add', 'w', '--team', 'evil');
    const token = /token = "([^"]+)"/.exec(section)?.[1] ?? '';
    await asRoot('service', 'add', 's', '--team', 'evil');
    await asRoot('service', 'set', 's', '--team', 'evil', '--visibility', 'public');
    await asRoot('service', 'attach', 's', 'w', '--team', 'evil');
    const plugins = join(folder, 'plugins');
    const worker = lastingWorker(site.brokers, { team: 'evil', identity: 'w', token, plugins });
    releases.push(() => worker.remove());
    await worker.start();
    await worker.says('Announcing it to broker');
  });
  afterAll(async () => {
    await Promise.all(releases.map((release) => release()));
    await site?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const asking = ['--service', 'evil/s', '--plugin', 'stats', '--command', 'x'] as const;

  it.each([
    ['triggerfs-client', asking],
    ['trigger', ['request', ...asking]],
    ['triggerfs-cli', ['-c', 'request evil/s plugin stats command x']],
  ])('another team’s public service reaches a terminal by %s with text and colours only', async (program, args) => {
    const shown = await onTerminal(program, args);
    expect(shown).toContain(`[stats@w] ${harmless}\n`);
    expect(shown).not.toMatch(/\u001b(?!\[[\d;:]*m)|[\u0080-\u009f\u202a-\u202e]|52;c/);
    expect(await onTerminal(program, [...args, '--raw'])).toContain(attack);
    const piped = await site.run(program, args);
    expect(piped.stdout).toContain(`[stats@w] ${attack}`);
  });

  it('another team’s bytes are escaped in JSON, which is the same once it is parsed', async () => {
    const { stdout } = await site.run('trigger', ['request', ...asking, '--json']);
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(stdout).output).toEqual([{ worker: 'w', stream: 'out', text: attack }]);
  });

  it('another team’s service is named as such in the history, unlike a service of the same name of one’s own', async () => {
    await site.run('triggerfs-client', asking);
    const history = async (...more: string[]) =>
      (await site.run('triggerfs-cli', ['-c', `show history ${more.join(' ')}`])).stdout;
    const shown = await until(async () => ((await history()).includes('succeeded') ? history() : null), 'the history');
    expect(shown).toMatch(/\| evil\/s +\| stats +\| x +\| evil\/w +\|/);
    expect(await history('service', 'evil/s')).toContain('evil/s');
    expect(await history('service', 's')).toContain('(0 rows)');
    expect(await asRoot('history', '--team', 'team1')).toMatch(/ evil\/s +stats +evil\/w +succeeded/);
  });

  it('a job’s output shows a reader on its machine nothing more, whether it is followed or not', async () => {
    const id = (await asRoot('queue', 'add', '--', 'cat', join(folder, 'attack'))).trim();
    await asRoot('queue', 'wait', id);
    for (const verb of ['cat', 'tail']) {
      const args = ['--socket', node().socket, 'queue', verb, id];
      expect(await onTerminal('trigger', args)).toBe(harmless);
      expect(await onTerminal('trigger', [...args, '--raw'])).toBe(attack);
      expect((await node().trigger('queue', verb, id)).stdout).toBe(attack);
    }
  });
});
