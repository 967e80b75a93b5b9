import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import type { FiringView } from '../../src/api/contract/firings.ts';
import type { PuppetReportView, WhyRunView, WhyView } from '../../src/api/contract/why.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { startPuppetDb, type TestPuppetDb } from '../support/puppetdb.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/**
 * web01 has no daemon. Its change makes Puppet run on lb01, whose change makes Puppet run on mon01, where something fails.
 * Only mon01's daemon knows a PuppetDB.
 */
describe('why, over two hops of real Puppet runs', () => {
  let etcd: EtcdPlace;
  let certificates: Certificates;
  let db: TestPuppetDb;
  let web: TestPuppet;
  const balancer: { node?: TestNode; puppet?: TestPuppet } = {};
  const monitor: { node?: TestNode; puppet?: TestPuppet } = {};
  let first: FiringView;
  let second: FiringView;

  const startNode = async (
    parts: { node?: TestNode; puppet?: TestPuppet },
    name: string,
    manifestOf: (dir: string) => string,
    config = '',
  ): Promise<void> => {
    const puppet = createPuppet(name, etcd);
    parts.puppet = puppet;
    const manifest = puppet.manifest('node.pp', manifestOf(puppet.dir));
    const client = `TRIGGERD_CLIENT_JSON=${puppet.dir}/client.json`;
    const runCommand = ['env', client, puppet.program, 'apply', ...puppet.options, manifest].join(' ');
    parts.node = createNode({ name, etcd, watch: `run_cmd = "${runCommand}"`, config });
    await parts.node.start();
  };
  const on = ({ node }: { node?: TestNode }): TestNode => {
    if (node === undefined) throw new Error('it was not started');
    return node;
  };

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    certificates = makeCertificates();
    db = await startPuppetDb(certificates);
    const files = `ca_file = "${certificates.file('ca.pem')}"\ncert_file = "${certificates.file('client.pem')}"\nkey_file = "${certificates.file('client.key')}"`;
    await Promise.all([
      startNode(
        balancer,
        'lb01',
        (dir) => `file { '${dir}/haproxy.cfg': content => 'balanced', notify => Trigger['tell monitoring'] }
trigger { 'tell monitoring': hosts => 'mon01' }
`,
      ),
      startNode(
        monitor,
        'mon01',
        (dir) => `file { '${dir}/check.cfg': content => 'watched' }
exec { 'reload checks': command => '/bin/false' }
`,
        `[puppetdb]\nurl = "${db.url}"\ntimeout = "1m"\n${files}`,
      ),
    ]);
    web = createPuppet('web01', etcd);
    const site = `file { '${web.dir}/app.conf': content => 'x', notify => Trigger['refresh load balancers'] }
trigger { 'refresh load balancers': hosts => 'lb01' }
`;
    expect((await web.apply(web.manifest('site.pp', site))).exitCode).toBe(2);
    [second, first] = (await until(async () => {
      const found = await on(balancer).firings();
      const isOver = found.every((each) => Object.values(each.outcomes).every(({ stage }) => stage === 'finished'));
      return found.length === 2 && isOver ? found : undefined;
    }, 'two firings, both of them over')) as [FiringView, FiringView];
  });

  afterAll(async () => {
    for (const { node, puppet } of [balancer, monitor]) {
      await node?.remove();
      puppet?.remove();
    }
    web?.remove();
    await db?.close();
    certificates?.remove();
  });

  const why = (what: string): Promise<WhyView> => on(balancer).json<WhyView>('why', what);

  it('why prints the whole story as JSON: resources, lines, messages, nodes, exit codes, reports', async () => {
    const { kind, name, focus, firings, runs, owed, notes } = await why('mon01');
    expect({ kind, name, owed, notes }).toEqual({
      ...{ kind: 'node', name: 'mon01', notes: [] },
      owed: { total: 0, firings: [] },
    });
    const [onLb, onMon] = runs;
    expect(focus).toBe(onMon?.id);
    expect(firings).toMatchObject([
      {
        ...{ id: first.id, trigger: 'refresh load balancers', caused_by: null, targets_total: 1, known: true },
        origin: {
          node: 'web01',
          transaction_uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
          causes: [{ resource: `File[${web.dir}/app.conf]`, file: `${web.dir}/manifests/site.pp`, line: 1 }],
        },
      },
      { id: second.id, trigger: 'tell monitoring', caused_by: onLb?.id, origin: { node: 'lb01' } },
    ]);
    expect(onLb).toMatchObject({
      node: 'lb01',
      firings: [first.id],
      stage: 'finished',
      result: 'succeeded',
      exit_code: 2,
    });
    expect(onLb?.details['puppet']).toMatchObject({
      // It is lb01's report that names the transaction which fired the second one.
      report: firings[1]?.origin?.['transaction_uuid'],
      report_file: `${balancer.puppet?.dir}/var/state/last_run_report.yaml`,
      changed_resources: [
        {
          resource: `File[${balancer.puppet?.dir}/haproxy.cfg]`,
          line: 1,
          message: expect.stringMatching(/^defined content/),
        },
        { resource: 'Trigger[tell monitoring]' },
      ],
      failed_resources: [],
    });
    expect(onMon).toMatchObject({ node: 'mon01', firings: [second.id], result: 'failed', exit_code: 6 });
    expect(onMon?.details['puppet']).toMatchObject({
      changed_resources: [{ resource: `File[${monitor.puppet?.dir}/check.cfg]` }],
      failed_resources: [
        {
          resource: 'Exec[reload checks]',
          file: `${monitor.puppet?.dir}/manifests/node.pp`,
          line: 2,
          message: expect.stringContaining('returned 1'),
        },
      ],
    });
  });

  it('why prints the same story for a firing, a trigger, a job and a node', async () => {
    const whole = await why('mon01');
    for (const what of [first.id, second.id.toLowerCase(), second.id, 'tell monitoring', 'lb01', 'LB01', '1']) {
      const { firings, runs } = await why(what);
      expect(firings.map(({ id }) => id)).toEqual([first.id, second.id]);
      expect(runs).toEqual(whole.runs);
    }
    expect(await why('1')).toMatchObject({
      kind: 'job',
      job: { id: 1, firings: [first.id] },
      focus: whole.runs[0]?.id,
    });
  });

  it('why fits into 80 columns, and its first sentence says where the story began', async () => {
    const { stdout } = await on(balancer).trigger('why', 'mon01');
    expect(stdout).toMatch(/^Job 1 ran on mon01 because File\[.*\/app\.conf\] changed on web01, 2 hops back\.\n/);
    const narrow = execFileSync('bin/trigger', ['--config', on(balancer).configFile, 'why', 'mon01'], {
      env: { ...process.env, COLUMNS: '80' },
      encoding: 'utf8',
    });
    const broken = narrow.split('\n').filter((line) => [...line].length > 80 && !/^ *(report )?\S+$/.test(line));
    expect(broken).toEqual([]);
    expect(narrow).not.toContain('\u001b');
  });

  it('why prints a graph for Graphviz, and refuses two formats at once', async () => {
    const { stdout } = await on(balancer).trigger('why', 'mon01', '--dot');
    expect(stdout).toMatch(/^digraph why \{\n[\s\S]*\n\}$/);
    for (const edge of [
      'firing0cause0 -> firing0',
      'firing0 -> run0',
      'run0 -> firing1cause0',
      'firing1cause0 -> firing1',
      'firing1 -> run1',
    ])
      expect(stdout).toContain(`  ${edge};`);
    expect(await on(balancer).trigger('why', 'mon01', '--dot', '--json')).toMatchObject({ exitCode: 2 });
  });

  it('why links to PuppetDB’s reports, and works without PuppetDB', async () => {
    const { firings, runs } = await why('mon01');
    const stored = { job_id: null, status: 'changed' };
    const reportId = (run: WhyRunView | undefined) =>
      String((run?.details['puppet'] as { report: string } | undefined)?.report);
    db.reports.push(
      {
        ...stored,
        hash: 'aa01',
        certname: 'web01',
        transaction_uuid: String(firings[0]?.origin?.['transaction_uuid']),
      },
      {
        ...stored,
        hash: 'bb02',
        certname: 'lb01',
        transaction_uuid: reportId(runs[0]),
      },
    );
    const linked = await on(monitor).json<WhyView>('why', 'mon01');
    const hashOf = ({ report }: { report: PuppetReportView | null }) => report?.hash;
    expect(linked.firings.map(hashOf)).toEqual(['aa01', 'bb02']);
    expect(linked.runs.map(hashOf)).toEqual(['bb02', undefined]);
    expect((await on(monitor).trigger('why', '1')).stdout).toContain(
      `report ${db.url}/pdb/query/v4/reports/bb02/events`,
    );

    db.answer = (response) => response.writeHead(500).end('out of order');
    const { stdout, exitCode } = await on(monitor).trigger('why', '1');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /because File.*\n[\s\S]*\n\(no links to reports: PuppetDB \(https:.*\): HTTP status 500 out of order\)$/,
    );
  });

  it('why says who added a job by hand, and what it does not know', async () => {
    const node = on(balancer);
    const { stdout: id } = await node.trigger('queue', 'add', '--', 'true');
    expect((await node.trigger('queue', 'wait', id)).exitCode).toBe(0);
    const { stdout } = await node.trigger('why', id);
    expect(stdout).toMatch(new RegExp(`^Job ${id} \\(true\\), now succeeded, was added by hand by \\w+, \\d{4}-`));
    expect(await why(id)).toMatchObject({
      kind: 'job',
      focus: null,
      firings: [],
      runs: [],
      job: { user: expect.any(String) },
    });
    expect(await node.trigger('why', '999')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('999') });
    expect(await node.trigger('why', 'web01')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('web01') });
    expect(await node.trigger('why', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toMatchObject({ exitCode: 1 });
    expect(await node.trigger('why')).toMatchObject({ exitCode: 2 });
  });

  it('why says what is owed to a node that has never been present', async () => {
    await on(balancer).trigger('fire', 'check', '--host', 'nowhere');
    expect((await on(balancer).trigger('why', 'nowhere')).stdout).toMatch(
      /^None of the recent firings has made nowhere run anything\.\n\nOwed to nowhere: 1\n {2}“check”, \w{26}, owed, from /,
    );
  });

  it('why shows what retention has deleted as a gap', async () => {
    execFileSync(
      'etcdctl',
      ['--command-timeout=60s', '--endpoints', etcd.endpoint, 'del', `${etcd.prefix}/v1/firings/${first.id}`],
      {
        env: { ...process.env, ETCDCTL_API: '3' },
      },
    );
    const { firings } = await why('mon01');
    expect(firings).toMatchObject([
      { id: first.id, known: false, trigger: 'refresh load balancers', origin: null },
      { id: second.id, known: true },
    ]);
    const { stdout } = await on(balancer).trigger('why', 'mon01');
    expect(stdout).toContain(`because of firing ${first.id}, which etcd has deleted`);
    // lb01's own journal still has it.
    expect((await why('1')).firings[0]).toMatchObject({ id: first.id, known: true, origin: { node: 'web01' } });
  });
});
