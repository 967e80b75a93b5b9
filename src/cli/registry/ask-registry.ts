import type { RegistryBody } from '../../api/contract/registry.ts';
import { answerOf } from '../../console/answer.ts';
import type { Answer, Statement } from '../../registry/statements.ts';
import type { DaemonClient } from '../support/http-client.ts';

/** Asks the registry through the daemon of this node: whoever may use its socket may do everything. */
export const askRegistry = async (
  client: DaemonClient,
  statement: Statement,
  signal?: AbortSignal,
): Promise<Answer> => {
  const body: RegistryBody = { statement };
  return answerOf(
    await client.request('/v1/registry', { method: 'POST', body, ...(signal === undefined ? {} : { signal }) }),
  );
};
