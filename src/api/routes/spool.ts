import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { SpooledView } from '../contract/firings.ts';
import { answer, post, type Route } from '../route.ts';
import type { ApiServices } from '../services/services.ts';

const query = v.object({ publish: v.optional(v.literal('1', 'Expected 1')) });

/** Takes the bytes of the document as they are: they are what etcd will have, and what a repeated publication compares. */
export const spoolRoutes = ({ spool }: Pick<ApiServices, 'spool'>): Route[] => [
  post('/v1/spool', { query, body: 'bytes' }, async ({ body, query }) => {
    const document = decode(body);
    const view: SpooledView =
      query.publish === undefined
        ? { id: await spool.store(document), stage: 'stored' }
        : { id: await spool.publish(document), stage: 'owed' };
    return answer(view.stage === 'stored' ? 202 : 201, view);
  }),
];

const decode = (body: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new TriggerdError('input-invalid', 'the firing is not UTF-8', { cause });
  }
};
