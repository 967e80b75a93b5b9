import * as v from 'valibot';
import { exitCodeOfWhole } from '../../plugin/puppet/regular-run.ts';
import type { RunRecordedView } from '../contract/firings.ts';
import { post, type Route } from '../route.ts';
import { text } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';

const body = v.object({
  argv: v.pipe(v.array(text(131_000)), v.maxLength(10_000)),
  cwd: text(4096),
  started_at: v.pipe(text(64), v.isoTimestamp()),
  status: text(64),
  noop: v.boolean(),
  completed: v.boolean(),
  transaction_uuid: v.nullable(text(64)),
  resources: v.record(text(64), v.number()),
});

/** A `puppet apply` that has just ended. One that was not whole satisfies nothing, and is no error. */
export const runRoutes = ({ runs, now }: Pick<ApiServices, 'runs' | 'now'>): Route[] => [
  post('/v1/runs', { body }, ({ body }): RunRecordedView => {
    const { argv, cwd, started_at, status, noop, completed, transaction_uuid: report, resources } = body;
    const { skipped = 0, changed = null, failed = null, failed_to_restart = null, total = null } = resources;
    const exitCode = exitCodeOfWhole({ status, noop, completed, skipped });
    if (exitCode === null) return { satisfied: [] };
    const facts = { changed, failed, failed_to_restart, total, noop, report, status };
    const times = { startedAt: Date.parse(started_at), finishedAt: now() };
    return { satisfied: runs.record({ what: { kind: 'apply', argv, cwd }, ...times, exitCode, facts }) };
  }),
];
