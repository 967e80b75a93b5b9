import { isUtf8 } from 'node:buffer';
import Fastify, { type FastifyError } from 'fastify';
import * as v from 'valibot';
import { TriggerdError } from '../domain/errors.ts';
import { addFiring } from './routes/add-firing.ts';
import { addJob } from './routes/add-job.ts';
import { adoptNode } from './routes/adopt-node.ts';
import { cancelFiring } from './routes/cancel-firing.ts';
import { clearQueue } from './routes/clear-queue.ts';
import { deadLetters } from './routes/dead-letters.ts';
import { drainQueue } from './routes/drain-queue.ts';
import { followEvents } from './routes/follow-events.ts';
import { followFiring } from './routes/follow-firing.ts';
import { forgetNode } from './routes/forget-node.ts';
import { getBroker } from './routes/get-broker.ts';
import { getFiring } from './routes/get-firing.ts';
import { getJob } from './routes/get-job.ts';
import { getPlugin } from './routes/get-plugin.ts';
import { health } from './routes/health.ts';
import { initAdmin } from './routes/init-admin.ts';
import { jobOutput } from './routes/job-output.ts';
import { killJob } from './routes/kill-job.ts';
import { latestJob } from './routes/latest-job.ts';
import { listBrokers } from './routes/list-brokers.ts';
import { listEvents } from './routes/list-events.ts';
import { listFirings } from './routes/list-firings.ts';
import { listJobs } from './routes/list-jobs.ts';
import { listNodes } from './routes/list-nodes.ts';
import { listPlugins } from './routes/list-plugins.ts';
import { listQueues } from './routes/list-queues.ts';
import { listTriggerFiles } from './routes/list-trigger-files.ts';
import { liveRequests } from './routes/live-requests.ts';
import { metrics } from './routes/metrics.ts';
import { pauseQueue } from './routes/pause-queue.ts';
import { queueSlots } from './routes/queue-slots.ts';
import { recordRun } from './routes/record-run.ts';
import { registry } from './routes/registry.ts';
import { removeJob } from './routes/remove-job.ts';
import { resumeQueue } from './routes/resume-queue.ts';
import { retryJob } from './routes/retry-job.ts';
import { spoolFiring } from './routes/spool-firing.ts';
import { swapJobs } from './routes/swap-jobs.ts';
import { testPlugin } from './routes/test-plugin.ts';
import { tsp } from './routes/tsp.ts';
import { urgentJob } from './routes/urgent-job.ts';
import { waitJob } from './routes/wait-job.ts';
import { why } from './routes/why.ts';
import type { ApiServices } from './services/services.ts';
import type { Api, Verb } from './verb.ts';
import { errorView } from './views/errors.ts';

const verbs: readonly Verb[] = [
  health,
  listQueues,
  listTriggerFiles,
  deadLetters,
  pauseQueue,
  resumeQueue,
  clearQueue,
  drainQueue,
  queueSlots,
  tsp,
  listJobs,
  addJob,
  latestJob,
  getJob,
  waitJob,
  jobOutput,
  killJob,
  removeJob,
  urgentJob,
  retryJob,
  swapJobs,
  addFiring,
  listFirings,
  getFiring,
  followFiring,
  cancelFiring,
  spoolFiring,
  recordRun,
  listEvents,
  followEvents,
  metrics,
  why,
  listNodes,
  forgetNode,
  adoptNode,
  getBroker,
  listBrokers,
  liveRequests,
  initAdmin,
  listPlugins,
  getPlugin,
  testPlugin,
  registry,
];

/** What anybody who reaches the HTTP port may read. */
const openVerbs: readonly Verb[] = [health, metrics];

/** At most this much in one request: a job's payload may be a file's content. */
const bodyLimit = 4 * 1024 * 1024;
/** Whoever takes longer to say what he wants only holds a connection. */
const requestTimeout = 60_000;

/** The control API (documents: `contract.ts`). Not listening yet. Every refusal has a code of the error catalogue. */
export const createApp = (services: ApiServices, onError: (error: unknown) => void): Api =>
  appOf(verbs, services, onError);

/** What the HTTP port serves. Not listening yet. */
export const createOpenApp = (services: ApiServices, onError: (error: unknown) => void): Api =>
  appOf(openVerbs, services, onError);

const appOf = (served: readonly Verb[], services: ApiServices, onError: (error: unknown) => void): Api => {
  const app: Api = Fastify({
    logger: false,
    bodyLimit,
    requestTimeout,
    forceCloseConnections: true,
    return503OnClosing: true,
    // A node's name has up to 253 characters, each of which may be escaped in a path.
    routerOptions: { maxParamLength: 1000 },
  });
  app.setValidatorCompiler<v.GenericSchema>(({ schema, httpPart }) => (data) => {
    const parsed = v.safeParse(schema, data);
    return parsed.success ? { value: parsed.output } : { error: invalidInput(parsed.issues, httpPart ?? 'request') };
  });
  parseExactJson(app);
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const known = error instanceof TriggerdError ? error : castHttpError(error);
    const { status, body } = errorView(known);
    if (status >= 500) onError(known);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { body } = errorView(new TriggerdError('input-invalid', `there is no ${request.method} ${request.url}`));
    return reply.code(404).send(body);
  });
  for (const verb of served) verb(app, services);
  return app;
};

/** Fastify decodes a body as it comes; what is not UTF-8 would reach us with other characters in its place. */
const parseExactJson = (app: Api): void => {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (isUtf8(body)) parse(request, body.toString(), done);
    else done(new TriggerdError('text-not-utf8', 'the body of the request is not UTF-8'));
  });
};

const invalidInput = (issues: readonly v.BaseIssue<unknown>[], part: string): TriggerdError => {
  const problems = issues.map((issue) => `${v.getDotPath(issue) ?? part}: ${issue.message}`);
  return new TriggerdError('input-invalid', problems.join('; '));
};

/** Fastify's own refusals (not JSON, too large, wrong content type) are the caller's mistakes; anything else is ours. */
const castHttpError = (error: FastifyError): unknown =>
  error.statusCode !== undefined && error.statusCode < 500
    ? new TriggerdError('input-invalid', error.message, { cause: error })
    : error;
