import { describe, expect, it } from 'vitest';
import type { WhyFiringView, WhyRunView, WhyView } from '../../../src/api/contract/why.ts';
import { painter } from '../../../src/cli/render/color.ts';
import { renderWhy } from '../../../src/cli/render/why.ts';
import { renderDot } from '../../../src/cli/render/why-dot.ts';
import { widthOf } from '../../../src/kit/width.ts';
import { jobView } from './views.ts';

const now = Date.parse('2026-11-20T12:01:00Z');
const [idA, idB, idC] = ['A', 'B', 'C'].map((last) => `01K9ZQ4T5M8W3V6X7Y8Z9A0BC${last}`) as [string, string, string];

const firing = (id: string, fields: Partial<WhyFiringView> = {}): WhyFiringView => ({
  id,
  trigger: 'refresh load balancers',
  known: true,
  origin: {
    kind: 'puppet',
    node: 'web01.example.com',
    environment: 'production',
    transaction_uuid: '0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5',
    causes: [
      {
        resource: 'File[/etc/app.conf]',
        file: '/etc/puppetlabs/code/environments/production/manifests/site.pp',
        line: 42,
        property: 'content',
        message: `content changed '{sha256}${'0f'.repeat(32)}' to '{sha256}${'9a'.repeat(32)}'`,
      },
    ],
    causes_total: 1,
  },
  noop: false,
  created_at: '2026-11-20T12:00:00Z',
  targets_total: 1,
  tally: null,
  caused_by: null,
  report: null,
  ...fields,
});

const run = (id: string, firings: readonly string[], fields: Partial<WhyRunView> = {}): WhyRunView => ({
  id,
  node: 'lb01.example.com',
  firings,
  firings_total: firings.length,
  stage: 'finished',
  result: 'succeeded',
  exit_code: 2,
  signal: null,
  job_id: 7,
  attempt: 1,
  reason: null,
  queued_at: null,
  started_at: '2026-11-20T12:00:10Z',
  finished_at: '2026-11-20T12:00:28Z',
  duration_ms: 18_200,
  clock_skew_ms: null,
  details: {},
  report: null,
  ...fields,
});

const why = (fields: Partial<WhyView>): WhyView => ({
  kind: 'firing',
  name: idA,
  focus: idA,
  firings: [firing(idA)],
  runs: [],
  job: null,
  owed: null,
  notes: [],
  ...fields,
});

const rendered = (view: WhyView, columns: number | null = 80, colors = false): string =>
  renderWhy(view, { columns, now, paint: painter(colors) });

const resource = (name: string) => ({ resource: name, file: '/m/lb.pp', line: 3, property: null, message: 'it did' });
const puppet = { changed: 7, failed: 1, noop: false, report: 'af0a5b56', report_file: '/var/report.yaml' };
const failedRun = run('r1', [idA], {
  ...{ result: 'failed', exit_code: 6 },
  details: {
    puppet: {
      ...puppet,
      changed_resources: Array.from({ length: 7 }, (_, index) => resource(`File[/${index}]`)),
      failed_resources: [resource('Exec[reload]')],
    },
  },
});

describe('trigger why', () => {
  it('why answers first, then shows every hop in 80 columns', () => {
    const next = firing(idB, { trigger: 'tell monitoring', caused_by: 'r1' });
    const last = run('r2', [idB], { node: 'mon01.example.com', job_id: 3 });
    const view = why({
      kind: 'node',
      name: 'mon01.example.com',
      focus: 'r2',
      firings: [firing(idA), next],
      runs: [failedRun, last],
    });
    const text = rendered(view);
    expect(text).toMatch(
      /^Job 3 ran on mon01.example.com because File\[\/etc\/app.conf\] changed on\nweb01.example.com, 2 hops back\.\n\n/,
    );
    expect(text.split('\n').filter((line) => widthOf(line) > 80)).toEqual([]);
    const wide = rendered(view, null);
    expect(wide).toContain(`
  → “refresh load balancers”, ${idA}, to 1 node
    lb01.example.com: job 7 failed, exit 6, 18.2 s, 7 changed, 1 failed
      Exec[reload] failed: it did
        /m/lb.pp:3
      File[/0] changed: it did
        /m/lb.pp:3
`);
    expect(wide).toContain(
      `
      … and 2 more changed
      report af0a5b56
        /var/report.yaml
      → “tell monitoring”, ${idB}, to 1 node, 60s ago
        because of File[/etc/app.conf]
        mon01.example.com: job 3 succeeded, exit 2, 18.2 s  ←`.replace('60s', '1m'),
    );
    expect(wide).toContain("content changed '{sha256}0f0f0f0f…' to '{sha256}9a9a9a9a…'\n");
  });

  it('why shows a run that several firings share once, with all of them', () => {
    const byHand = { kind: 'cli', node: 'admin', user: 'ann' };
    const view = why({
      ...{ kind: 'job', name: '7', focus: 'r', job: jobView() },
      firings: [firing(idA), firing(idB, { origin: byHand }), firing(idC, { origin: byHand })],
      runs: [run('r', [idA, idB, idC], { firings_total: 9 })],
    });
    const text = rendered(view, null);
    expect(text).toMatch(/ and for 2 more reasons\.\n/);
    expect(text.match(/job 7 succeeded/g)).toHaveLength(1);
    expect(text.match(/job 7, together with other firings: see below/g)).toHaveLength(2);
    expect(text).toContain('one run for 9 firings');
    for (const id of [idA, idB, idC]) expect(text).toContain(id);
  });

  it.each<[string, Partial<WhyRunView>]>([
    [
      'job 7 deferred: Puppet agent is disabled: lunch',
      { stage: 'deferred', reason: 'Puppet agent is disabled: lunch' },
    ],
    ['skipped: loop: a on b → a on b', { stage: 'skipped', reason: 'loop: a on b → a on b', job_id: null }],
    ['owed, not taken yet', { stage: 'owed', job_id: null }],
    ['ran it; etcd has deleted how it ended', { stage: null }],
    ['job 7 killed, SIGKILL', { result: 'killed', signal: 'SIGKILL' }],
    ['job 7 running, for 50s', { stage: 'running', started_at: '2026-11-20T12:00:10Z' }],
    ['job 7 succeeded, a regular run of Puppet’s own', { details: { regular_run: true } }],
    ['job 7 succeeded, noop', { details: { puppet: { noop: true } } }],
    ['job 7 succeeded, noop, 3 pending', { details: { puppet: { noop: true, pending: 3 } } }],
    ['job 7 failed: it broke', { result: 'failed', reason: 'it broke', details: { puppet: { error: 'it broke' } } }],
    [
      'job 7 failed, 1 failed\n',
      {
        result: 'failed',
        reason: 'it broke',
        details: { puppet: { error: 'it broke', failed: 1, failed_resources: [{ resource: 'Exec[a]' }] } },
      },
    ],
    [
      'job 7 succeeded, no report\n      report Puppet wrote no report of this run',
      { details: { puppet: { missing: 'Puppet wrote no report of this run' } } },
    ],
  ])('why says “%s”', (words, fields) => {
    const none = { result: null, exit_code: null, started_at: null, duration_ms: null };
    const result = 'stage' in fields ? {} : { result: 'succeeded' as const };
    const text = rendered(why({ runs: [run('r', [idA], { ...none, ...result, ...fields })] }), null);
    expect(text).toContain(`    lb01.example.com: ${words}`);
  });

  it.each<[string, Partial<WhyRunView>]>([
    ['Job 7 runs on lb01.example.com because', { stage: 'running' }],
    ['Job 7 is deferred on lb01.example.com because', { stage: 'deferred', started_at: null }],
    ['Job 7 could not start on lb01.example.com; it was asked for because', { started_at: null }],
    [
      'Job 7 did not run on lb01.example.com (expired); it was asked for because',
      { stage: 'skipped', reason: 'expired' },
    ],
  ])('why answers “%s …”', (words, fields) => {
    expect(rendered(why({ kind: 'node', focus: 'r', runs: [run('r', [idA], fields)] }), null)).toMatch(
      new RegExp(`^${words.replaceAll(/[()]/g, '\\$&')} File`),
    );
  });

  it('why says what etcd has deleted, and how the nodes without a line ended', () => {
    const gone = firing(idB, { known: false, origin: null, created_at: null, targets_total: null, noop: null });
    expect(rendered(why({ firings: [gone], focus: idB, name: idB }), null)).toContain('etcd has deleted this firing');
    const many = Array.from({ length: 25 }, (_, index) => run(`r${index}`, [idA], { node: `n${index}` }));
    const bad = run('bad', [idA], { node: 'bad', result: 'failed' });
    const lines = rendered(why({ runs: [...many, bad] }), null).split('\n');
    expect(lines.filter((line) => line.includes(': job 7'))[0]).toContain('bad: job 7 failed');
    const big = firing(idA, { targets_total: 300, tally: { succeeded: 298, failed: 2 } });
    expect(rendered(why({ firings: [big], runs: many }), null)).toContain(
      `… and 278 succeeded, 2 failed: trigger status ${idA}`,
    );
    expect(rendered(why({ firings: [{ ...big, tally: null }], runs: many }), null)).toContain('… and 280 more nodes');
  });

  it('why says by whom and when a job was added by hand', () => {
    const job = jobView({ id: 7, command: 'tar -c /srv', user: 'ann', enqueued_at: '2026-11-20T12:00:00Z' });
    const text = rendered(why({ kind: 'job', name: '7', focus: null, firings: [], job }), null);
    expect(text).toMatch(/^Job 7 \(tar -c \/srv\), now \w+, was added by hand by ann, .*\(1m ago\)\.$/);
    const retried = jobView({ ...job, source: 'firing', user: null });
    expect(rendered(why({ kind: 'job', name: '7', focus: null, firings: [], job: retried }), null)).toContain(
      'a retry',
    );
  });

  it('why says what is owed to a node, and what is missing', () => {
    const owed = { firing: idB, trigger: 'deploy', origin: { node: 'web01' }, created_at: null };
    const text = rendered(
      why({
        ...{ kind: 'node', name: 'lb01', focus: null, firings: [], notes: ['no links to reports: PuppetDB is away'] },
        owed: { total: 3, firings: [{ ...owed, stage: 'deferred', reason: 'agent disabled' }] },
      }),
      null,
    );
    expect(text).toBe(
      `None of the recent firings has made lb01 run anything.

Owed to lb01: 3
  “deploy”, ${idB}, deferred: agent disabled, from web01
  … and 2 more

(no links to reports: PuppetDB is away)`,
    );
  });

  it('why links to PuppetDB’s report, and never breaks the link', () => {
    const url = `https://puppetdb.example.com:8081/pdb/query/v4/reports/${'c0'.repeat(20)}/events`;
    const report = { hash: 'c0', certname: 'lb01', transaction_uuid: null, job_id: null, status: 'changed', url };
    const view = why({ firings: [firing(idA, { report })], runs: [run('r', [idA], { report })] });
    expect(rendered(view, 60).match(new RegExp(`report ${url}$`, 'gm'))).toHaveLength(2);
    expect(renderDot(view, now)).toContain(`URL="${url}"`);
  });

  it('why uses colours on a terminal only', () => {
    const view = why({ runs: [failedRun] });
    expect(rendered(view)).not.toContain('\u001b');
    expect(rendered(view, 80, true)).toContain('\u001b[31mlb01.example.com: job 7 failed');
  });
});

const evil = 'x"]; a -> b; \\" \u001b[2J\n\r\u0007\u202e<b>&amp;\\n';
const evilView = why({
  firings: [
    firing(idA, {
      trigger: evil,
      origin: {
        kind: 'puppet',
        node: evil,
        causes: [{ resource: evil, file: evil, line: evil, message: evil }, null, 7],
      },
    }),
    firing(idB, { origin: { kind: 7, user: [evil] }, caused_by: 'r' }),
  ],
  runs: [
    run('r', [idA], {
      ...{ node: evil, reason: evil, signal: evil },
      details: { puppet: { changed: evil, changed_resources: [{ resource: evil }, evil], report: evil }, shared: evil },
    }),
  ],
  notes: [evil],
});

describe('what others have written into etcd', () => {
  it('text from etcd does not drive the terminal', () => {
    for (const columns of [null, 80]) expect(rendered(evilView, columns)).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });

  it('text from etcd is only text in Graphviz’ graph', () => {
    const { nodes, edges } = parseDot(renderDot(evilView, now));
    expect([...nodes.keys()].sort()).toEqual([
      'firing0',
      'firing0cause0',
      'firing0cause1',
      'firing0cause2',
      'firing1',
      'run0',
    ]);
    expect(edges).toEqual([
      ['firing0cause0', 'firing0'],
      ['firing0cause1', 'firing0'],
      ['firing0cause2', 'firing0'],
      ['run0', 'firing1'],
      ['firing0', 'run0'],
    ]);
    expect(nodes.get('firing0')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

/** Reads the part of Graphviz' grammar that we write; throws for anything else. Labels come back unescaped. */
const parseDot = (text: string) => {
  const [head, rankdir, shape, ...lines] = text.split('\n');
  expect([head, rankdir, shape, lines.pop()]).toEqual([
    'digraph why {',
    '  rankdir=LR;',
    '  node [shape=box, style=rounded];',
    '}',
  ]);
  const nodes = new Map<string, string>();
  const edges: [string, string][] = [];
  for (const line of lines) {
    const edge = /^ {2}(\w+) -> (\w+);$/.exec(line);
    const node = /^ {2}(\w+) \[label="((?:[^"\\]|\\.)*)"((?:, \w+="(?:[^"\\]|\\.)*")*)\];$/.exec(line);
    if (edge !== null) edges.push([edge[1] ?? '', edge[2] ?? '']);
    else if (node !== null) nodes.set(node[1] ?? '', (node[2] ?? '').replace(/\\(.)/g, '$1'));
    else throw new Error(`not Graphviz: ${line}`);
  }
  for (const name of edges.flat()) if (!nodes.has(name)) throw new Error(`an edge to ${name}, which is no node`);
  return { nodes, edges };
};
