/** Documents of the control API, as the daemon would give them. */
import type { FiringView, OutcomeView } from '../../../src/api/contract/firings.ts';
import type { JobView } from '../../../src/api/contract/jobs.ts';
import type { NodeView } from '../../../src/api/contract/nodes.ts';
import type { PluginView } from '../../../src/api/contract/plugins.ts';
import type { QueueView } from '../../../src/api/contract/queues.ts';

export const jobView = (job: Partial<JobView> = {}): JobView => ({
  id: 1,
  queue: 'default',
  state: 'queued',
  result: null,
  exit_code: null,
  signal: null,
  reason: null,
  deferred: false,
  label: null,
  plugin: 'command',
  command: 'true',
  output: `/var/lib/triggerd/jobs/${job.id ?? 1}/output`,
  firings: [],
  source: 'cli',
  user: null,
  noop: false,
  attempt: 0,
  after: null,
  if_ok: [],
  not_before: null,
  key: null,
  stderr: null,
  timeout_ms: null,
  enqueued_at: '2026-11-20T12:00:00.000Z',
  started_at: null,
  finished_at: null,
  times: null,
  details: {},
  wait_exit_code: null,
  ...job,
});

export const finishedView = (job: Partial<JobView> = {}): JobView =>
  jobView({
    state: 'finished',
    result: 'succeeded',
    exit_code: 0,
    wait_exit_code: 0,
    times: { real: 0.1, user: 0, system: 0 },
    started_at: '2026-11-20T12:00:01.000Z',
    finished_at: '2026-11-20T12:00:01.100Z',
    ...job,
  });

export const queueView = (queue: Partial<QueueView> = {}): QueueView => ({
  name: 'default',
  slots: 1,
  paused: false,
  draining: false,
  queued: 0,
  running: 0,
  deferred: 0,
  ...queue,
});

export const outcomeView = (outcome: Partial<OutcomeView> = {}): OutcomeView => ({
  node: 'lb01.example.com',
  stage: 'owed',
  result: null,
  exit_code: null,
  signal: null,
  job_id: null,
  attempt: 0,
  reason: null,
  queued_at: null,
  started_at: null,
  finished_at: null,
  duration_ms: null,
  clock_skew_ms: null,
  details: {},
  output_tail: null,
  ...outcome,
});

export const succeeded = (node: string): OutcomeView =>
  outcomeView({
    node,
    stage: 'finished',
    result: 'succeeded',
    exit_code: 2,
    job_id: 7,
    duration_ms: 18_200,
    details: { puppet: { changed: 4, failed: 0, total: 120 } },
  });

export const firingId = '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD';

export const firingView = (firing: Partial<FiringView> = {}): FiringView => ({
  id: firingId,
  trigger: 'refresh load balancers',
  origin: {
    kind: 'puppet',
    node: 'web01.example.com',
    environment: 'production',
    resource: 'Trigger[refresh load balancers]',
    causes: [{ resource: 'File[/etc/app.conf]', file: '/etc/site.pp', line: 42, message: 'content changed' }],
    causes_total: 3,
  },
  targets: ['lb01.example.com', 'lb02.example.com'],
  job: { plugin: null, args: {} },
  noop: false,
  tags: [],
  created_at: '2026-11-20T12:00:00.000Z',
  expires_at: null,
  outcomes: {
    'lb01.example.com': succeeded('lb01.example.com'),
    'lb02.example.com': outcomeView({ node: 'lb02.example.com', stage: 'deferred', reason: 'agent disabled' }),
  },
  ...firing,
});

export const nodeView = (node: Partial<NodeView> = {}): NodeView => ({
  node: 'lb01.example.com',
  present: true,
  version: '0.1.0',
  roles: ['watcher'],
  started_at: '2026-11-20T10:00:00.000Z',
  first_seen_at: '2026-11-01T10:00:00.000Z',
  holder: null,
  refused: [],
  queues: { default: { queued: 2, running: 1 } },
  ...node,
});

export const pluginView = (plugin: Partial<PluginView> = {}): PluginView => ({
  name: 'service',
  summary: 'restarts a service',
  mode: 'plain',
  path: '/usr/lib/triggerd/plugins/service',
  timeout_ms: 60_000,
  noop: true,
  allowed: false,
  args: { name: { summary: 'which one', required: true, pattern: '^[a-z]+$', default: null } },
  problem: null,
  ...plugin,
});
