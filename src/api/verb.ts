import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { GenericSchema, InferOutput } from 'valibot';
import type { ApiServices } from './services/services.ts';

/** Gives a route's `body`, `params` and `querystring` the types of their valibot schemas. */
interface ValibotTypes extends FastifyTypeProvider {
  validator: this['schema'] extends GenericSchema ? InferOutput<this['schema']> : unknown;
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ValibotTypes
>;

/** One verb of the control API, one file in `verbs/`: registers its route. */
export type Verb = (app: Api, services: ApiServices) => void;
