import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/doctor/finding.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { freePort, startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { remount, smallDisk } from '../../support/faults.ts';
import { createNode, type TestNode } from '../../support/node.ts';
import { createPuppet, type TestPuppet } from '../../support/puppet.ts';
import { until } from '../../support/wait.ts';

/** A port whose queue of connections is full: the kernel drops what comes, as a firewall would. */
const deafPort = async () => {
  const script = `import socket, sys
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(0)
held = [socket.socket() for _ in range(4)]
for each in held:
  each.setblocking(False); each.connect_ex(s.getsockname())
print(s.getsockname()[1], flush=True); sys.stdin.read()`;
  const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(String(port)), isDeaf: () => child.exitCode === null, close: () => void child.kill() };
};

describe('trigger doctor', () => {
  /** It asks for client certificates. */
  let etcd: TestEtcd;
  let certificates: Certificates;
  let puppet: TestPuppet;
  /** `[watch]` with this Puppet's agent. */
  let agent: string;
  const nodes: TestNode[] = [];
  const node = (config = '', endpoints = [etcd.endpoint], watch = agent): TestNode => {
    const env: Record<string, string> = endpoints.includes(etcd.endpoint)
      ? {
          TRIGGERD_ETCD_CA_FILE: certificates.file('ca.pem'),
          TRIGGERD_ETCD_CERT_FILE: certificates.file('client.pem'),
          TRIGGERD_ETCD_KEY_FILE: certificates.file('client.key'),
        }
      : {};
    const made = createNode({ name: 'lb01', etcd: endpoints, config, watch, env });
    nodes.push(made);
    return made;
  };
  const doctor = async (patient: TestNode) => {
    const { stdout, exitCode } = await patient.trigger('doctor', '--json');
    const findings: Finding[] = JSON.parse(stdout);
    const of = (area: Finding['area']) => findings.filter((finding) => finding.area === area);
    return { findings, exitCode, of };
  };

  beforeAll(async () => {
    certificates = makeCertificates();
    const tls = {
      ca: certificates.file('ca.pem'),
      cert: certificates.file('server.pem'),
      key: certificates.file('server.key'),
    };
    etcd = await startEtcd({ tls });
    puppet = createPuppet('lb01', [etcd.endpoint]);
    agent = `run_cmd = "${puppet.program} agent --test ${puppet.options.join(' ')}"`;
  });
  afterEach(() => Promise.all(nodes.splice(0).map((each) => each.remove())));
  afterAll(async () => {
    puppet?.remove();
    await etcd?.stop();
    certificates?.remove();
  });

  it('doctor ends when it has printed, although etcd’s address answers nothing', async () => {
    const deaf = await deafPort();
    try {
      const { of } = await doctor(node('', [`http://127.0.0.1:${deaf.port}`], agent));
      expect(of('etcd')).toMatchObject([
        { state: 'wrong', what: expect.stringMatching(/no answer in \d+s|DEADLINE_EXCEEDED/) },
      ]);
      // It has ended: the kernel tries for two minutes, and has not given up.
      expect(deaf.isDeaf()).toBe(true);
    } finally {
      deaf.close();
    }
  }, 100_000);

  it('doctor finds nothing wrong on a healthy node', async () => {
    const patient = node('', undefined, agent);
    await patient.start();
    const { findings, exitCode, of } = await until(async () => {
      const seen = await doctor(patient);
      // On a busy machine etcd is slow now and then, and it says so.
      return [...seen.of('etcd').slice(0, 1), ...seen.of('clock')].every(({ state }) => state === 'fine') ? seen : null;
    }, 'a quick etcd');
    expect(findings.filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(exitCode).toBe(0);
    expect(of('daemon')).toMatchObject([{ state: 'fine', what: expect.stringContaining('as lb01, pid') }]);
    expect(of('etcd')[0]).toMatchObject({
      state: 'fine',
      what: expect.stringMatching(/etcd 3\.\d+\.\d+, answers in .* of \d+/),
    });
    expect(of('clock')).toMatchObject([{ state: 'fine' }]);
    expect(of('Puppet')).toMatchObject([{ state: 'fine', what: expect.stringMatching(/^\d+\.\d+\.\d+, /) }]);
    expect(of('spool')).toMatchObject([{ state: 'fine' }]);
    expect(of('disk')).toMatchObject([{ state: 'fine', what: expect.stringMatching(/^\d+ MiB are free in /) }]);
  });

  it('doctor says that an etcd without credentials is wrong, and the daemon warns of it once', async () => {
    const open = await startEtcd();
    try {
      const patient = node('', [open.endpoint], 'enabled = false');
      await patient.start();
      const warnings = () => patient.log().filter(({ code }) => code === 'etcd-open');
      await until(() => warnings().length > 0, 'the warning');
      expect(warnings()).toMatchObject([{ level: 40, msg: expect.stringContaining('every account of this machine') }]);
      // Neither says so again when it is back.
      await open.kill();
      await open.start();
      const { exitCode, of } = await until(async () => {
        const seen = await doctor(patient);
        return seen.of('etcd').some(({ state }) => state === 'fine') ? seen : null;
      }, 'etcd to be back');
      expect(exitCode).toBe(1);
      expect(of('etcd')).toContainEqual({
        area: 'etcd',
        state: 'wrong',
        what: expect.stringContaining('etcd answers without credentials: every account of this machine'),
        remedy: expect.stringContaining('docs/how-to/etcd.md'),
      });
      expect(warnings()).toHaveLength(1);
    } finally {
      await open.stop();
    }
  });

  it('doctor reports a dead daemon and a dead etcd, and says what to do', async () => {
    const patient = node('', [`http://127.0.0.1:${await freePort()}`]);
    const { exitCode, of } = await doctor(patient);
    expect(exitCode).toBe(1);
    expect(of('daemon')).toMatchObject([
      { state: 'wrong', remedy: expect.stringContaining('systemctl start triggerd') },
    ]);
    expect(of('etcd')).toMatchObject([{ state: 'wrong', what: expect.stringContaining('ECONNREFUSED') }]);
    expect(of('clock')).toMatchObject([{ state: 'unused' }]);
    const some = await patient.trigger('doctor', '--only', 'fuse,spool', '--json');
    expect(JSON.parse(some.stdout).map(({ area }: Finding) => area)).toEqual(['spool', 'FUSE']);
    expect(await patient.trigger('doctor', '--only', 'fuse', '--only', 'spool', '--problems')).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
    expect((await patient.trigger('doctor', '--only', 'daemon', '--problems')).stdout).toMatch(/^WRONG {4}daemon/);
  });

  it('doctor reports a disk that cannot be written or is nearly full, and leaves no file of its tests', async () => {
    const patient = node();
    const folder = smallDisk(patient, '1m');
    expect((await doctor(patient)).of('disk')).toMatchObject([
      { state: 'warning', what: expect.stringMatching(/only [01] MiB/) },
    ]);
    expect(readdirSync(folder)).toEqual([]);
    remount(folder, 'ro');
    const { exitCode, of } = await doctor(patient);
    expect(exitCode).toBe(1);
    expect(of('disk')).toMatchObject([{ state: 'wrong', what: expect.stringContaining('EROFS') }]);
  });

  it('doctor names a wrong configuration, and checks no further', async () => {
    const patient = node('[http]\nlisten = 3');
    const { findings, exitCode } = await doctor(patient);
    expect(exitCode).toBe(1);
    expect(findings).toMatchObject([
      { area: 'configuration', state: 'wrong', what: expect.stringContaining('http.listen') },
    ]);
  });

  it('doctor exits with a usage error for a file that does not exist', async () => {
    const patient = node();
    const { exitCode, stderr } = await patient.trigger('doctor', '--config', '/nonexistent.toml');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('/nonexistent.toml');
  });

  it('doctor reports a disabled agent with its message, and a missing Puppet', async () => {
    execFileSync(puppet.program, ['agent', ...puppet.options, '--disable', 'waiting for the release']);
    const patient = node('', undefined, agent);
    expect((await doctor(patient)).of('Puppet')[1]).toMatchObject({
      state: 'warning',
      what: 'Puppet agent is disabled: waiting for the release',
      remedy: expect.stringContaining('puppet agent --enable'),
    });
    execFileSync(puppet.program, ['agent', ...puppet.options, '--enable']);
    const without = node('', undefined, 'run_cmd = "/opt/nowhere/puppet agent --test"');
    expect((await doctor(without)).of('Puppet')).toMatchObject([{ state: 'wrong' }]);
  });

  it('doctor reports a held lock of the agent by Puppet’s own rule: a reader of Puppet’s log does not hold it', async () => {
    const lock = join(puppet.dir, 'var/state/agent_catalog_run.lock');
    mkdirSync(dirname(lock), { recursive: true });
    const [log, program] = [join(puppet.dir, 'puppet.log'), join(puppet.dir, 'puppet')];
    writeFileSync(log, '');
    // As the kernel names a process that a script called “puppet” has become.
    copyFileSync('/usr/bin/tail', program);
    chmodSync(program, 0o755);
    const patient = node('', undefined, agent);
    const warned = async (command: string) => {
      const holder = spawn(command, ['-f', log], { stdio: 'ignore' });
      await once(holder, 'spawn');
      writeFileSync(lock, `${holder.pid}`);
      const findings = (await doctor(patient)).of('Puppet').map(({ what }) => what);
      const over = once(holder, 'exit');
      holder.kill();
      await over;
      return findings.some((what) => what.includes('another Puppet run holds the agent’s lock'));
    };
    expect(await warned('tail')).toBe(false);
    expect(await warned(program)).toBe(true);
    rmSync(lock);
  });

  it('doctor warns, as `config check` does, where run_cmd starts Puppet in a shell', async () => {
    const patient = node('', undefined, `run_cmd = "sh -c 'puppet apply x.pp; true'"`);
    const told = { state: 'warning', what: expect.stringContaining('run_cmd starts Puppet in a shell') };
    expect((await doctor(patient)).of('Puppet')).toContainEqual(expect.objectContaining(told));
    expect((await patient.trigger('config', 'check')).stdout).toMatch(
      /^warning: \[watch\] run_cmd starts Puppet in a shell/m,
    );
  });

  it('doctor warns, as `config check` does, of a relative path in run_cmd', async () => {
    const patient = node('', undefined, 'run_cmd = "puppet apply manifest.pp"');
    const what = 'run_cmd has the relative path “manifest.pp”, and jobs run in /';
    expect((await doctor(patient)).of('Puppet')).toContainEqual(expect.objectContaining({ state: 'warning', what }));
    expect((await patient.trigger('config', 'check')).stdout).toContain(
      `warning: [watch] ${what}. Write the whole path`,
    );
  });

  it('doctor reports paused queues, waiting firings, and refused messages', async () => {
    const patient = node('', [`http://127.0.0.1:${await freePort()}`]);
    const spool = join(patient.dir, 'state', 'spool');
    mkdirSync(join(spool, 'rejected'), { recursive: true, mode: 0o700 });
    writeFileSync(join(spool, '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD.json'), '{}');
    writeFileSync(join(spool, 'rejected', 'x.json'), '{}');
    expect((await doctor(patient)).of('spool')).toMatchObject([
      { state: 'warning', what: '1 firing waits for etcd' },
      { state: 'warning', what: '1 document was refused' },
    ]);
    const well = node();
    await well.start();
    await well.trigger('queue', 'pause');
    expect((await doctor(well)).of('queues')).toMatchObject([
      { state: 'warning', what: 'default is paused, 0 queued' },
    ]);
  });

  it('doctor finds nothing wrong on a broker that watches no inbox', async () => {
    const endpoint = `tcp://127.0.0.1:${await freePort()}`;
    const broker = `[broker]\nlisten = "${endpoint}"\nadvertise = "${endpoint}"`;
    const patient = node(`${broker}\n[workers]\nallow = ["echo"]`, undefined, 'enabled = false');
    await patient.start();
    const { findings, of } = await doctor(patient);
    expect(findings.filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(of('daemon')).toMatchObject([{ state: 'fine' }]);
    expect(of('permissions')).toMatchObject([{ state: 'fine' }]);
  });

  it('doctor reports what others could change', async () => {
    const patient = node('[main]\nsecret = "hush"');
    chmodSync(patient.configFile, 0o666);
    const { exitCode, of, findings } = await doctor(patient);
    expect(exitCode).toBe(1);
    expect(of('permissions').map(({ what }) => what)).toEqual([
      expect.stringContaining('others can write to'),
      expect.stringContaining('holds secrets'),
    ]);
    expect(JSON.stringify(findings)).not.toContain('hush');
    chmodSync(patient.configFile, 0o600);
    expect((await doctor(patient)).of('permissions')).toMatchObject([{ state: 'fine' }]);
    chownSync(patient.configFile, 65_534, 65_534);
    expect((await doctor(patient)).of('permissions')).toMatchObject([
      {
        state: 'wrong',
        what: expect.stringContaining('belongs to nobody'),
        remedy: expect.stringMatching(/^chown root /),
      },
    ]);
  });
});

describe('certificates', () => {
  let certificates: Certificates;
  const file = (name: string) => certificates.file(name);
  const look = async (ca: string, cert: string, key: string) => {
    const config = `ca_file = "${file(ca)}"\ncert_file = "${file(cert)}"\nkey_file = "${file(key)}"`;
    const patient = createNode({ name: 'lb01', etcd: ['https://127.0.0.1:1'] });
    try {
      writeFileSync(
        file('t.toml'),
        `[node]\nsocket = "/nonexistent"\n[watch]\nenabled = false\n[etcd]\nendpoints = ["https://127.0.0.1:1"]\n${config}\n`,
      );
      const { stdout } = await patient.trigger('doctor', '--json', '--config', file('t.toml'));
      return (JSON.parse(stdout) as Finding[]).filter(({ area }) => area === 'certificates');
    } finally {
      await patient.remove();
    }
  };

  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(() => certificates?.remove());

  it.each([
    ['client.pem', 'client.key', 'fine', /CN=client\) is valid until \d{4}-/],
    ['short.pem', 'short.key', 'warning', /in (9|10) days/],
    ['client.pem', 'short.key', 'wrong', /does not belong to the key/],
    ['stranger.pem', 'stranger.key', 'warning', /was not issued by the CA/],
    ['gone.pem', 'client.key', 'wrong', /gone\.pem: cannot be read \(ENOENT\)/],
  ])('doctor judges the certificate %s with the key %s', async (cert, key, state, what) => {
    const [ca, own] = await look('ca.pem', cert, key);
    expect(ca?.state).toBe('fine');
    expect(own?.state).toBe(state);
    expect(own?.what).toMatch(what);
  });

  it('doctor says that a remote etcd without TLS is open', async () => {
    const patient = createNode({ name: 'lb01', etcd: ['http://192.0.2.1:2379'], config: '' });
    try {
      writeFileSync(
        file('t.toml'),
        '[node]\nsocket = "/nonexistent"\n[watch]\nenabled = false\n[etcd]\nendpoints = ["http://192.0.2.1:2379"]\nrequest_timeout = "1s"\n',
      );
      const { stdout } = await patient.trigger('doctor', '--json', '--config', file('t.toml'));
      const found = (JSON.parse(stdout) as Finding[]).find(({ area }) => area === 'certificates');
      expect(found).toMatchObject({ state: 'warning', what: expect.stringContaining('is not encrypted') });
    } finally {
      await patient.remove();
    }
  });
});
