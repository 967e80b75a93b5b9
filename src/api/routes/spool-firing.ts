import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { SpooledView } from '../contract/firings.ts';
import type { Verb } from '../verb.ts';

const querystring = v.object({ publish: v.optional(v.literal('1', 'Expected 1')) });

/** Takes the bytes of the document as they are: they are what etcd will have, and what a repeated publication compares. */
export const spoolFiring: Verb = (app, { spool }) => {
  app.register(async (scope: typeof app) => {
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
      decode(body),
    );
    scope.post('/v1/spool', { schema: { querystring } }, async ({ body, query }, reply) => {
      const document = String(body ?? '');
      const view: SpooledView =
        query.publish === undefined
          ? { id: await spool.store(document), stage: 'stored' }
          : { id: await spool.publish(document), stage: 'owed' };
      return reply.code(view.stage === 'stored' ? 202 : 201).send(view);
    });
  });
};

const decode = (body: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new TriggerdError('input-invalid', 'the firing is not UTF-8', { cause });
  }
};
