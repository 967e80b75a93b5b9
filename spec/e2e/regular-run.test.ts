import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** What is queued while the queue stands still, and what a Puppet run of somebody else does to it. */
const waiting = (start: (puppet: TestPuppet) => { runCommand: string }) => {
  let etcd: EtcdPlace;
  const held = {} as { puppet: TestPuppet; node: TestNode };
  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    held.puppet = createPuppet('lb01', etcd);
    const { runCommand } = start(held.puppet);
    held.node = createNode({ name: 'lb01', etcd, watch: `run_cmd = "${runCommand}"` });
    await held.node.start();
    await held.node.trigger('queue', 'pause');
  });
  afterAll(async () => {
    await held.node?.remove();
    held.puppet?.remove();
  });
  const outcome = async (id: string) => (await held.node.firing(id)).outcomes['lb01'];
  const fire = async (...more: string[]): Promise<string> => {
    const { id } = await held.node.json<{ id: string }>('fire', 'test', '--host', 'lb01', ...more);
    await until(async () => (await outcome(id))?.stage === 'queued', `${id} to be queued`);
    return id;
  };
  const satisfied = (id: string) =>
    until(async () => {
      const found = await outcome(id);
      return found?.stage === 'finished' ? found : undefined;
    }, `${id} to be satisfied`);
  return { held, outcome, fire, satisfied };
};

describe('a regular `puppet apply` with the report processor', () => {
  const { held, outcome, fire, satisfied } = waiting((puppet) => {
    // Its compilation continues only when the file `go` is there.
    const { dir } = puppet;
    const hold = `touch ${dir}/compiling; until [ -e ${dir}/go ]; do sleep 0.1; done; echo hello`;
    const manifest = puppet.manifest('site.pp', `notify { generate('/bin/sh', '-c', '${hold}'): }\n`);
    writeFileSync(`${dir}/go`, '');
    puppet.manifest('other.pp', "notify { 'hello': }\n");
    return { runCommand: [puppet.program, 'apply', ...puppet.options, manifest].join(' ') };
  });
  /** As cron would run it. */
  const apply = (manifest: string, ...options: string[]) => {
    const { puppet, node } = held;
    const client = join(puppet.dir, 'client.json');
    writeFileSync(client, JSON.stringify({ ...JSON.parse(readFileSync(client, 'utf8')), socket: node.socket }));
    const path = join(puppet.dir, 'manifests', manifest);
    const env = { TRIGGERD_CLIENT_JSON: client, LANG: 'C.UTF-8' };
    return execa(puppet.program, ['apply', ...puppet.options, path, '--detailed-exitcodes', ...options], {
      env,
      cwd: '/',
      reject: false,
    });
  };

  it('a regular `puppet apply` with the report processor satisfies only jobs that were accepted before it began', async () => {
    // Reports are chosen in puppet.conf, so that the command lines are the same.
    mkdirSync(join(held.puppet.dir, 'conf'), { recursive: true });
    writeFileSync(join(held.puppet.dir, 'conf/puppet.conf'), '[main]\nreports = trigger\n');
    const id = await fire();
    const trial = await fire('--noop');
    const other = await apply('other.pp');
    expect(other.exitCode).toBe(2);
    expect((await apply('site.pp', '--tags', 'nothing')).exitCode).toBe(0);
    expect(await outcome(id)).toMatchObject({ stage: 'queued' });

    expect((await apply('site.pp')).exitCode).toBe(2);
    expect(await satisfied(id)).toMatchObject({
      result: 'succeeded',
      exit_code: 2,
      attempt: 0,
      details: { regular_run: true, puppet: { changed: 1, failed: 0, status: 'changed' } },
    });
    expect(await outcome(trial)).toMatchObject({ stage: 'queued' });
    const jobs = await held.node.jobs();
    expect(jobs.map(({ state, noop }) => [state, noop])).toEqual([
      ['finished', false],
      ['queued', true],
    ]);
  });

  it('a regular `puppet apply` does not satisfy a job that was accepted while its catalog was compiled', async () => {
    const { dir } = held.puppet;
    rmSync(join(dir, 'go'));
    rmSync(join(dir, 'compiling'));
    const run = apply('site.pp');
    await until(() => existsSync(join(dir, 'compiling')), 'the manifest to be read');
    const id = await fire();
    writeFileSync(join(dir, 'go'), '');
    expect((await run).exitCode).toBe(2);
    expect(await outcome(id)).toMatchObject({ stage: 'queued' });
    await apply('site.pp');
    expect(await satisfied(id)).toMatchObject({ result: 'succeeded' });
  });
});

describe('a regular run of the agent', () => {
  const { held, fire, satisfied } = waiting((puppet) => {
    // Where Puppet has never run there is no folder to watch, and the report is found within a minute.
    mkdirSync(join(puppet.dir, 'var/state'), { recursive: true });
    const agent = [puppet.program, 'agent', '--test', '--server', '127.0.0.1', '--serverport', '1', ...puppet.options];
    return { runCommand: agent.join(' ') };
  });

  /**
   * There is no server here: what an agent leaves on its node is made of what a real `puppet apply` leaves, which differs
   * in the run mode only. `npm run acceptance` has real agents.
   */
  const left = { summary: '', report: '' };
  beforeAll(async () => {
    const real = createPuppet('lb01', ['http://127.0.0.1:1']);
    try {
      await real.apply(real.manifest('x.pp', "notify { 'x': }\n"));
      const summary = readFileSync(join(real.dir, 'public/last_run_summary.yaml'), 'utf8');
      left.summary = summary.replace('run_mode: user', 'run_mode: agent');
      left.report = readFileSync(join(real.dir, 'var/state/last_run_report.yaml'), 'utf8');
    } finally {
      real.remove();
    }
  });
  const agentRun = (): void => {
    const { puppet } = held;
    const report = left.report.replace(/^time: .*$/m, `time: '${new Date().toISOString()}'`);
    const summary = left.summary.replace(/last_run: \d+/, `last_run: ${Math.floor(Date.now() / 1000)}`);
    put(join(puppet.dir, 'public/last_run_summary.yaml'), summary);
    put(join(puppet.dir, 'var/state/last_run_report.yaml'), report);
  };
  /** As Puppet replaces its files: whole. */
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };

  it('a regular run of the agent is recognized by its report, without a report processor', async () => {
    const id = await fire();
    agentRun();
    expect(await satisfied(id)).toMatchObject({ result: 'succeeded', exit_code: 2, details: { regular_run: true } });
  });
});
