import { isUtf8 } from 'node:buffer';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import * as v from 'valibot';
import type { ErrorView } from '../../api/contract/errors.ts';
import { Answer, type Asked, type Route, type Schemas } from '../../api/route.ts';
import { asTriggerdError, errorCatalogue, TriggerdError } from '../../domain/errors.ts';

/** At most this much in one request: a job's payload may be a file's content. */
const bodyLimit = 4 * 1024 * 1024;
/** Whoever takes longer to say what he wants only holds a connection. */
const requestTimeout = 60_000;

/** Serves these routes. Not listening yet. Every refusal has a code of the error catalogue; `onError` hears of those that are ours. */
export const serveRoutes = (routes: readonly Route[], onError: (error: unknown) => void): FastifyInstance => {
  const app = Fastify({
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
  for (const route of routes) {
    if (route.schemas.body === 'bytes') app.register(async (scope) => serveBytes(scope, route));
    else serve(app, route);
  }
  return app;
};

/** With the body as it came, whatever it is. */
const serveBytes = (scope: FastifyInstance, route: Route): void => {
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => body);
  serve(scope, route);
};

const serve = (app: FastifyInstance, { method, path: url, schemas, answer }: Route): void => {
  app.route({
    method,
    url,
    schema: schemaOf(schemas),
    handler: async (request, reply) => send(reply, await answer(askedBy(request, reply))),
  });
};

const schemaOf = ({ params, query, body }: Schemas) => ({
  ...(params === undefined ? {} : { params }),
  ...(query === undefined ? {} : { querystring: query }),
  ...(body === undefined || body === 'bytes' ? {} : { body }),
});

/** The parts have passed their schemas, which `Asked` takes its types from. */
const askedBy = ({ params, query, body }: FastifyRequest, reply: FastifyReply): Asked<Schemas> =>
  ({ params, query, body: body ?? Buffer.alloc(0), hungUp: () => hungUp(reply) }) as Asked<Schemas>;

const hungUp = (reply: FastifyReply): AbortSignal => {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort(new TriggerdError('timed-out', 'the caller closed the connection')));
  return controller.signal;
};

const send = (reply: FastifyReply, answered: unknown): FastifyReply => {
  if (!(answered instanceof Answer)) return reply.send(answered);
  const { status, content } = answered;
  reply.code(status);
  if (content.kind === 'document') return reply.send(content.document);
  if (content.kind === 'text') return reply.type(content.type).send(content.text);
  reply.type(content.type).headers(content.head).send(content.bytes);
  reply.raw.flushHeaders();
  return reply;
};

/** Fastify decodes a body as it comes; what is not UTF-8 would reach us with other characters in its place. */
const parseExactJson = (app: FastifyInstance): void => {
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

const errorView = (thrown: unknown): { readonly status: number; readonly body: { readonly error: ErrorView } } => {
  const error = asTriggerdError(thrown);
  const { code, message, remedy, details } = error;
  return { status: errorCatalogue[code].http, body: { error: { code, message, remedy, details } } };
};
