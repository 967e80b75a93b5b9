import { chmodSync, chownSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { postJob } from '../support/api.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';

/** What a job says about a run of a real Puppet is what happened in that very run. */
describe('the outcome of a Puppet run', () => {
  let node: TestNode;
  let puppet: TestPuppet;
  let report: string;
  const settings = (text: string) => writeFileSync(join(puppet.dir, 'conf/puppet.conf'), text);

  beforeAll(async () => {
    puppet = createPuppet('lb01', ['http://127.0.0.1:1']);
    report = join(puppet.dir, 'var/state/last_run_report.yaml');
    node = createNode({ name: 'lb01', etcd: ['http://127.0.0.1:1'] });
    await node.start();
  });
  beforeEach(() => settings(''));
  afterAll(async () => {
    await node?.remove();
    puppet?.remove();
  });

  const ended = async (argv: readonly string[]): Promise<JobView> => {
    const { id } = await postJob(node.socket, { plugin: 'puppet', argv: [...argv] });
    await node.trigger('queue', 'wait', String(id));
    return node.job(id);
  };
  const apply = (...words: string[]) => [puppet.program, 'apply', ...puppet.options, ...words];
  // Psych puts a string that begins like an octal number (`089dc6ce-…`) in quotes.
  const uuidIn = (path: string) => /^transaction_uuid: '?([\da-f-]+)'?$/m.exec(readFileSync(path, 'utf8'))?.[1];
  const file = (name: string) => `file { '${puppet.dir}/${name}': content => '${Math.random()}' }`;

  it('the outcome names the facts of its own report, which then lies in Puppet’s standard place', async () => {
    // Somebody else's run ends while this one is under way.
    const other = puppet.manifest('new.pp', "notify { 'somebody else': }");
    const run = `exec { '${apply(other).join(' ')}': }`;
    const { details } = await ended(apply(puppet.manifest('ours.pp', `${file('ours')}\n-> ${run}`)));
    expect(details).toMatchObject({
      puppet: {
        changed: 2,
        failed: 0,
        total: expect.any(Number),
        noop: false,
        report_file: report,
        environment: 'production',
      },
    });
    const { changed_resources, report: id } = details['puppet'] as { changed_resources: unknown[]; report: string };
    expect(changed_resources).toHaveLength(2);
    expect(JSON.stringify(changed_resources)).not.toContain('Notify');
    expect(uuidIn(report)).toBe(id);
    expect(statSync(report)).toMatchObject({ uid: 0, mode: 0o100640 });

    chownSync(report, 65_534, 65_534);
    chmodSync(report, 0o600);
    const next = await ended(apply('-e', "notify { 'x': }"));
    expect(next.details).toMatchObject({ puppet: { changed: 1, report: uuidIn(report) } });
    expect(statSync(report)).toMatchObject({ uid: 65_534, gid: 65_534, mode: 0o100640 });
    expect(readdirSync(join(puppet.dir, 'var/state')).filter((name) => name.includes('triggerd-'))).toEqual([]);
    rmSync(report);
  }, 120_000);

  it('the outcome has no facts of another run where its own run left no report, and says so', async () => {
    // Somebody else's run ends, and its report is there, before this one fails without any.
    const words = apply('-e', 'notify{other:}')
      .map((word) => `'${word}'`)
      .join(', ');
    const job = await ended(apply(puppet.manifest('fails.pp', `generate(${words})\nfail('no such role')`)));
    expect(job).toMatchObject({ result: 'failed', exit_code: 1, reason: expect.stringContaining('no such role') });
    expect(job.details).toEqual({ puppet: { missing: 'Puppet wrote no report of this run' } });
    expect(uuidIn(report)).toMatch(/-/);

    settings('[main]\nreport = false\n');
    const silent = await ended(apply(puppet.manifest('both.pp', `${file('both')}\nexec { '/bin/false': }`)));
    expect(silent).toMatchObject({ result: 'failed', exit_code: 6, reason: expect.stringContaining('/bin/false') });
    expect(silent.details).toEqual({ puppet: { missing: 'Puppet wrote no report of this run' } });
  }, 120_000);

  it('the outcome says noop where puppet.conf sets it, and how much would have changed', async () => {
    settings('[main]\nnoop = true\ntags = here,file\n');
    const manifest = `${file('a')} ${file('b')} ${file('c')} notify { 'left out': }`;
    const job = await ended(apply(puppet.manifest('noop.pp', manifest)));
    expect(job).toMatchObject({ result: 'succeeded', exit_code: 0, noop: false });
    expect(job.details).toMatchObject({
      puppet: { noop: true, pending: 3, changed: 0, cached_catalog: false, tags: 'here,file' },
    });
  }, 60_000);

  it.each<[string, (manifest: string) => string[]]>([
    ['setsid env -C', (manifest) => ['setsid', 'env', '-C', join(puppet.dir, 'manifests'), ...apply(manifest)]],
    ['a shell', (manifest) => ['sh', '-c', `${apply(join(puppet.dir, 'manifests', manifest)).join(' ')}; true`]],
  ])(
    'the outcome behind %s is failed when a resource failed',
    async (what, command) => {
      puppet.manifest('bad.pp', "exec { '/bin/false': }");
      const job = await ended(command('bad.pp'));
      expect(job, what).toMatchObject({
        result: 'failed',
        exit_code: 4,
        reason: expect.stringContaining('/bin/false'),
      });
    },
    60_000,
  );

  it.each<[string, RegExp, () => string[]]>([
    [
      'a syntax error',
      /^Could not parse for environment production: Syntax error/,
      () => [puppet.manifest('syntax.pp', 'class {')],
    ],
    ['a missing manifest', /^Could not run: Could not find file \/nowhere\.pp$/, () => ['/nowhere.pp']],
  ])(
    'the outcome’s reason is %s, and the output has no colours',
    async (_what, reason, words) => {
      const job = await ended(apply(...words()));
      expect(job).toMatchObject({ result: 'failed', exit_code: 1, reason: expect.stringMatching(reason) });
      expect(readFileSync(job.output ?? '', 'utf8')).not.toContain('\u001b');
    },
    60_000,
  );

  it('the outcome’s reason is the wrapper’s message where a wrapper did not start Puppet', async () => {
    const job = await ended(['nice', '-n', '5', 'env', '-C', '/nowhere', 'puppet', 'apply', 'x.pp']);
    expect(job).toMatchObject({ result: 'failed', exit_code: 125, reason: expect.stringContaining('/nowhere') });
  });
});
