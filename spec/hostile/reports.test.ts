import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { createNode, root, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** On Debian the folders of Puppet's reports and locks belong to the user `puppet`. Here to this one. */
const attacker = { uid: 65_534, gid: 65_534 };
const as = (command: string): void => void execFileSync('/bin/sh', ['-c', command], { ...attacker, cwd: '/' });

let etcd: EtcdPlace;
test.beforeAll(async ({ etcd: place }) => {
  etcd = place;
});

const firing = (node: TestNode) => {
  const outcome = async (id: string) => (await node.firing(id)).outcomes['lb01'];
  const fire = async (): Promise<string> => (await node.json<{ id: string }>('fire', 'test', '--host', 'lb01')).id;
  const reaches = (id: string, stage: string) =>
    until(async () => {
      const found = await outcome(id);
      return found?.stage === stage ? found : undefined;
    }, `${id} to be ${stage}`);
  return { fire, outcome, reaches };
};
const problems = (node: TestNode): string[] =>
  node
    .log()
    .filter(({ msg }) => msg === 'Puppet’s settings or files are not used')
    .map((line) => JSON.stringify(line));
const doctor = async (node: TestNode): Promise<Finding[]> =>
  (JSON.parse((await node.trigger('doctor', '--json')).stdout) as Finding[]).filter(({ area }) => area === 'Puppet');

/** A Puppet whose state belongs to the attacker, and a daemon for it. */
const world = (verb: string, words: (puppet: TestPuppet) => string[]) => {
  const held = {} as { puppet: TestPuppet; node: TestNode; state: string; summary: string; report: string };
  const attacks: ChildProcess[] = [];
  beforeAll(async () => {
    const puppet = createPuppet('lb01', etcd);
    held.puppet = puppet;
    chmodSync(puppet.dir, 0o755);
    const [state, publicFolder] = [join(puppet.dir, 'var/state'), join(puppet.dir, 'public')];
    for (const folder of [join(puppet.dir, 'var'), state, publicFolder]) {
      mkdirSync(folder);
      chownSync(folder, attacker.uid, attacker.gid);
    }
    Object.assign(held, { state, summary: join(publicFolder, 'last_run_summary.yaml') });
    held.report = join(state, 'last_run_report.yaml');
    const command = [puppet.program, verb, ...puppet.options, ...words(puppet)];
    held.node = createNode({ name: 'lb01', etcd, watch: `run_cmd = "${command.join(' ')}"` });
    await held.node.start();
  });
  /** Swaps what Puppet has written, whenever it has, until the end of the test; the command knows it as `$f`. */
  const swap = async (pattern: string, command: string): Promise<void> => {
    const whenPuppets = '[ -f $f ] && [ ! -L $f ] && [ ! -O $f ]';
    // Not what Puppet has not finished yet.
    const skip = 'case $f in *.yaml.triggerd-*-*-*) continue;; esac';
    // It looks two hundred times a second and starts nothing for that: a core of its own would only slow Puppet down.
    const look = `for f in ${pattern}; do ${skip}; ${whenPuppets} && { ${command}; }; done; read -rt 0.005 -u 3`;
    const script = `exec 3<> <(:); while :; do ${look}; done`;
    const child = spawn('/bin/bash', ['-c', script], { ...attacker, stdio: 'ignore' });
    attacks.push(child);
    await once(child, 'spawn');
  };
  afterEach(async () => {
    for (const child of attacks.splice(0)) {
      const over = once(child, 'exit');
      child.kill('SIGKILL');
      await over;
    }
    for (const file of [held.summary, held.report]) rmSync(file, { force: true, recursive: true });
  });
  afterAll(async () => {
    await held.node?.remove();
    held.puppet?.remove();
  });
  return { held, swap };
};

const now = (): number => Math.floor(Date.now() / 1000);

describe('whoever owns the folders of Puppet, while it runs', () => {
  const { held, swap } = world('apply', (puppet) => [puppet.manifest('site.pp', "notify { 'x': }\n")]);

  it.each([
    ['a report linked to /dev/zero', 'is a symbolic link', 'ln -sfn /dev/zero $f'],
    ['a FIFO as report', 'is a FIFO', 't=$(dirname $f)/t; mkfifo $t; mv -f $t $f'],
    [
      'a report of the attacker’s own',
      'belongs to user 65534',
      "t=$(dirname $f)/t; echo 'status: forged' > $t; mv -f $t $f",
    ],
  ])('a run keeps Puppet’s result and loses only its resources in the report: %s', async (_what, why, command) => {
    const { fire, reaches } = firing(held.node);
    const own = join(held.state, '.last_run_report.yaml.triggerd-*');
    await swap(own, command);
    // Whoever swaps late has swapped nothing that anybody reads: that run is as others are.
    const hit = await until(async () => {
      const outcome = await reaches(await fire(), 'finished');
      expect(outcome).toMatchObject({ result: 'succeeded', exit_code: 2 });
      const puppet = outcome.details?.['puppet'] as { missing?: string } | undefined;
      return puppet?.missing === undefined ? undefined : outcome;
    }, 'a swap before the report is read');
    expect(hit).toMatchObject({ details: { puppet: { missing: expect.stringContaining(`is not read: it ${why}`) } } });
    const refused = new RegExp(`puppet-file-unsafe.*last_run_report.yaml.triggerd-[^:]*: it ${why}`);
    expect(problems(held.node).some((line) => refused.test(line))).toBe(true);
  });

  it.each([
    ['a link to somebody else’s file', (target: string) => `ln -sfn ${target} ${held.report}`],
    ['a folder', () => `mkdir -p ${held.report}`],
  ])('a report is not written through %s in its standard place', async (_what, plant) => {
    const target = join(held.puppet.dir, 'precious');
    writeFileSync(target, 'precious');
    as(plant(target));
    const names = () => readdirSync(held.state).filter((name) => name.includes('triggerd-'));
    const before = names();
    const { fire, reaches } = firing(held.node);
    expect(await reaches(await fire(), 'finished')).toMatchObject({ details: { puppet: { changed: 1 } } });
    expect(readFileSync(target, 'utf8')).toBe('precious');
    expect(names()).toEqual(before);
  });

  it('an 8 MB summary that keeps a YAML parser busy is not parsed, and TERM ends the daemon', async () => {
    const { fire, reaches } = firing(held.node);
    const bomb = join(held.state, 'bomb');
    as(`{ printf 'time:\\n  last_run: ${now() + 3600}\\n'; yes '? ' | tr -d '\\n' | head -c 8000000; } > ${bomb}`);
    await swap(held.summary, `cp ${bomb} ${bomb}.2; mv -f ${bomb}.2 ${held.summary}`);
    expect(await reaches(await fire(), 'finished')).toMatchObject({ result: 'succeeded', exit_code: 2 });
    expect((await doctor(held.node)).map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/does not read \S*last_run_summary\.yaml: it is larger than 256 KiB/),
    );
    expect(await held.node.stop()).toBe(0);
  });
});

describe('whoever owns the folders of Puppet, while nothing runs', () => {
  const { held } = world('agent', () => ['--test', '--server', '127.0.0.1', '--serverport', '1']);
  let id = '';
  beforeAll(async () => {
    await held.node.trigger('queue', 'pause');
    id = await firing(held.node).fire();
    await firing(held.node).reaches(id, 'queued');
  });

  it('a report linked to /dev/zero lets a daemon start, and queued jobs stay queued', async () => {
    writeFileSync(held.summary, agentSummary(now()));
    as(`ln -s /dev/zero ${held.report}`);
    await held.node.stop();
    await held.node.start();
    await until(() => problems(held.node).some((line) => line.includes('it is a symbolic link')), 'the look at it');
    expect(await firing(held.node).outcome(id)).toMatchObject({ stage: 'queued' });
    expect((await doctor(held.node)).map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/does not read \S*last_run_report\.yaml: it is a symbolic link/),
    );
  });

  it('a FIFO in place of the lock defers runs with a message; other jobs run, and TERM ends the daemon', async () => {
    const [disabled, lock] = ['agent_disabled.lock', 'agent_catalog_run.lock'].map((name) => join(held.state, name));
    const { reaches, outcome } = firing(held.node);
    as(`mkfifo ${disabled} ${lock}`);
    await held.node.trigger('queue', 'resume');
    const reason = /^Puppet agent is disabled: .* is not read: it is a FIFO/;
    expect(await reaches(id, 'deferred')).toMatchObject({ reason: expect.stringMatching(reason) });
    const other = (await held.node.trigger('queue', 'add', '--', 'true')).stdout.trim();
    expect(await held.node.trigger('queue', 'wait', other)).toMatchObject({ exitCode: 0 });
    await held.node.trigger('queue', 'pause');
    expect(problems(held.node).at(-1)).toContain('agent_disabled.lock: it is a FIFO');
    expect(await doctor(held.node)).toContainEqual(
      expect.objectContaining({ state: 'warning', what: expect.stringMatching(reason) }),
    );
    expect(await held.node.stop()).toBe(0);
    await held.node.start();
    as(`rm ${disabled}`);
    const waits = 'agent_catalog_run.lock: it is a FIFO';
    await until(() => problems(held.node).some((line) => line.includes(waits)), 'the look at the other lock');
    expect(await outcome(id)).toMatchObject({ stage: 'deferred' });
    as(`rm ${lock}`);
    await reaches(id, 'queued');
  });

  it('a report that another user owns is no regular run; the same report of root’s is one', async () => {
    const [summary, report] = ['summary', 'report'].map((name) => join(held.puppet.dir, name)) as [string, string];
    writeFileSync(summary, agentSummary(now()));
    writeFileSync(report, agentReport(new Date()));
    const copies = `cp ${summary} ${held.summary}; cp ${report} ${held.report}`;
    as(copies);
    await until(() => problems(held.node).some((line) => line.includes('it belongs to user 65534')), 'the look at it');
    expect(await firing(held.node).outcome(id)).toMatchObject({ stage: 'queued' });
    as(`rm ${held.summary} ${held.report}`);
    execFileSync('/bin/sh', ['-c', copies]);
    expect(await firing(held.node).reaches(id, 'finished')).toMatchObject({
      result: 'succeeded',
      details: { regular_run: true },
    });
  });
});

const settingNames = [
  'lastrunfile',
  'lastrunreport',
  'agent_catalog_run_lockfile',
  'agent_disabled_lockfile',
  'ssl_lockfile',
  'environment',
  'config',
  'node_name_value',
];

const agentSummary = (lastRun: number): string =>
  `---\napplication:\n  run_mode: agent\n  initial_environment: production\nresources:\n  changed: 1\n  skipped: 0\ntime:\n  last_run: ${lastRun}\n`;
const agentReport = (time: Date): string =>
  `--- !ruby/object:Puppet::Transaction::Report\nhost: lb01\ntime: '${time.toISOString()}'\nstatus: changed\ntransaction_completed: true\nnoop: false\nenvironment: production\ncached_catalog_status: not_used\n`;

describe('a file system of somebody else that never answers', () => {
  it('a file system that never answers defers runs, stops nothing else, and TERM ends the daemon', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'triggerd-stuck-'));
    const mountpoint = join(folder, 'mnt');
    mkdirSync(mountpoint);
    // Its root is there; whatever else one asks for is never answered.
    const script = `const Fuse = require('fuse-native');
      const folder = { mode: 0o40755, uid: 0, gid: 0, size: 0, nlink: 2, atime: new Date(), mtime: new Date(), ctime: new Date() };
      new Fuse(${JSON.stringify(mountpoint)}, { getattr: (path, answer) => path === '/' && answer(0, folder) }, { force: true })
        .mount((error) => console.log(error ?? 'mounted'));`;
    const server = spawn(process.execPath, ['-e', script], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const program = join(folder, 'puppet');
    const at: Record<string, string> = {
      agent_disabled_lockfile: `${mountpoint}/lock`,
      agent_catalog_run_lockfile: `${mountpoint}/sub/lock`,
    };
    const settings = settingNames.map((name) => `echo "${name} = ${at[name] ?? `${folder}/${name}`}"`);
    writeFileSync(program, `#!/bin/sh\n[ "$1" = config ] && { ${settings.join('; ')}; }\nexit 0\n`, { mode: 0o755 });
    const node = createNode({ name: 'lb01', etcd, watch: `run_cmd = "${program} agent --test"` });
    try {
      expect(String(await once(server.stdout, 'data'))).toContain('mounted');
      await node.start();
      const { fire, reaches } = firing(node);
      const found = await reaches(await fire(), 'deferred');
      expect(found).toMatchObject({ reason: expect.stringMatching(/is not read: it gives no answer within 10 s/) });
      const other = (await node.trigger('queue', 'add', '--', 'true')).stdout.trim();
      expect(await node.trigger('queue', 'wait', other)).toMatchObject({ exitCode: 0 });
      await node.stop();
      expect(node.log().at(-1)).toMatchObject({ msg: 'Stopped' });
    } finally {
      await node.crash();
      execFileSync('umount', ['-l', mountpoint]);
      server.kill('SIGKILL');
      await node.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a program of another user in run_cmd', () => {
  let home: string;
  let node: TestNode;
  let program: string;
  const askers = join(tmpdir(), `triggerd-askers-${process.pid}`);

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'triggerd-home-'));
    chmodSync(home, 0o755);
    chownSync(home, attacker.uid, attacker.gid);
    program = join(home, 'puppet');
    const print = `for name in ${settingNames.join(' ')}; do echo "$name = ${home}/$name"; done`;
    // Whoever runs it writes down who he is, and what for.
    writeFileSync(
      program,
      `#!/bin/sh\necho "$(id -u) $1" >> ${askers}\n[ "$1" = config ] && { ${print}; }\n[ "$1" = --version ] && echo 7.0\nexit 0\n`,
    );
    chmodSync(program, 0o755);
    chownSync(program, attacker.uid, attacker.gid);
  });
  afterEach(async () => {
    await node?.remove();
    rmSync(askers, { force: true });
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const start = async (runCommand: string): Promise<void> => {
    writeFileSync(askers, '');
    chmodSync(askers, 0o666);
    node = createNode({ name: 'lb01', etcd, watch: `run_cmd = "${runCommand}"` });
    await node.start();
  };
  const seen = (): string[] =>
    existsSync(askers) ? [...new Set(readFileSync(askers, 'utf8').trim().split('\n'))].sort() : [];
  const runs = async (): Promise<JobView> => {
    const { fire, reaches } = firing(node);
    expect(await reaches(await fire(), 'finished')).toMatchObject({ result: 'succeeded' });
    const [job] = await node.jobs();
    return job as JobView;
  };

  it('a run_cmd program of another user is queried only as that user, with the words that start its runs', async () => {
    await start(`runuser -u nobody -- ${program} agent --test`);
    await runs();
    expect((await doctor(node)).filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(seen()).toEqual(['65534 --version', '65534 agent', '65534 config']);
  });

  it('a run_cmd program of another user is never queried as root: log and doctor name it, and its runs start', async () => {
    await start(`${program} agent --test`);
    await until(() => problems(node).length > 0, 'the log to name it');
    expect(problems(node)[0]).toMatch(/puppet-unsafe.* belongs to user 65534/);
    expect(await doctor(node)).toMatchObject([
      {
        state: 'wrong',
        what: expect.stringMatching(/others can change a program in run_cmd: .* belongs to user 65534/),
      },
    ]);
    expect(seen()).toEqual(['']);
    await runs();
    expect(seen()).toEqual(['0 agent']);
  });

  it('a run_cmd program behind an unknown wrapper is not queried', async () => {
    await start(`chroot / ${program} agent --test`);
    await runs();
    expect((await doctor(node)).map(({ state }) => state)).toEqual(['warning']);
    expect(seen()).toEqual(['0 agent']);
  });
});
