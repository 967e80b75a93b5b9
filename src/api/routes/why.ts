import * as v from 'valibot';
import type { Firing } from '../../domain/firing.ts';
import { owedOutcome } from '../../domain/outcome.ts';
import type { FiringHop, RunHop } from '../../firings/why/graph.ts';
import type { Owed, OwedFiring, PuppetReport } from '../../firings/why/look-up.ts';
import type { PuppetReportView, WhyFiringView, WhyOwedView, WhyRunView, WhyView } from '../contract/why.ts';
import { get, type Route } from '../route.ts';
import { text } from '../schemas.ts';
import type { ApiServices, Why } from '../services/services.ts';
import { originView, outcomeView } from '../views/firings.ts';
import { jobView } from '../views/jobs.ts';

const query = v.object({ what: v.pipe(text(255), v.minLength(1)) });

export const whyRoutes = (services: Pick<ApiServices, 'why'>): Route[] => [
  get('/v1/why', { query }, async ({ query }) => whyView(await services.why(query.what))),
];

const whyView = (why: Why): WhyView => {
  const { graph, focus, notes } = why.explanation;
  return {
    kind: why.kind,
    name: why.name,
    focus,
    firings: graph.firings.map((hop) => firingView(hop, why)),
    runs: graph.runs.map((hop) => runView(hop, why)),
    job: why.kind === 'job' ? jobView(why.job) : null,
    owed: why.kind === 'node' ? owedView(why.owed) : null,
    notes,
  };
};

const firingView = (
  { id, trigger, firing, causedBy }: FiringHop,
  { explanation: { tallies }, reports }: Why,
): WhyFiringView => ({
  id,
  trigger,
  known: firing !== null,
  origin: firing === null ? null : originView(firing.origin),
  noop: firing?.noop ?? null,
  created_at: firing?.createdAt ?? null,
  targets_total: firing === null ? null : targetsOf(firing),
  tally: tallies.get(id) ?? null,
  caused_by: causedBy,
  report: reportView(reports.get(id)),
});

const targetsOf = (firing: Firing): number => (firing.targets === null ? firing.targetsTotal : firing.targets.length);

const runView = ({ id, node, firings, firingsTotal, outcome }: RunHop, { reports }: Why): WhyRunView => {
  const { output_tail: _tail, output_tail_base64: _bytes, ...facts } = outcomeView(outcome ?? owedOutcome('', node));
  return {
    ...facts,
    id,
    stage: outcome?.stage ?? null,
    firings,
    firings_total: firingsTotal,
    report: reportView(reports.get(id)),
  };
};

const owedView = ({ total, firings }: Owed): WhyView['owed'] => ({ total, firings: firings.map(owedFiringView) });

const owedFiringView = ({ id, firing, outcome: { stage, reason } }: OwedFiring): WhyOwedView => ({
  firing: id,
  trigger: firing?.trigger ?? null,
  origin: firing === null ? null : originView(firing.origin),
  created_at: firing?.createdAt ?? null,
  stage,
  reason,
});

const reportView = (report: PuppetReport | undefined): PuppetReportView | null => {
  if (report === undefined) return null;
  const { transactionUuid, jobId, ...same } = report;
  return { ...same, transaction_uuid: transactionUuid, job_id: jobId };
};
