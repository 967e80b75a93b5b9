import * as v from 'valibot';
import type { EventFilter } from '../events/event-filter.ts';
import { text } from './schemas.ts';

const one = text(255);
const repeatable = v.optional(
  v.pipe(
    v.union([v.pipe(v.array(one), v.maxLength(100)), one]),
    v.transform((value) => (typeof value === 'string' ? [value] : value)),
  ),
  [],
);
const stage = v.picklist(['owed', 'queued', 'running', 'deferred', 'finished', 'skipped']);

/** Which events; shared by the verbs that list and follow. */
export const eventFilter = {
  fleet: v.optional(v.picklist(['0', '1']), '0'),
  node: repeatable,
  trigger: repeatable,
  stage: v.pipe(repeatable, v.array(stage)),
  kind: repeatable,
};

export const filterOf = (query: v.InferOutput<ReturnType<typeof filterSchema>>): EventFilter => ({
  nodes: query.node,
  triggers: query.trigger,
  stages: query.stage,
  kinds: query.kind,
});

const filterSchema = () => v.object(eventFilter);
