import * as v from 'valibot';
import { asTriggerdError } from '../domain/errors.ts';
import { nameSeenBy } from '../domain/names.ts';
import type { RequestRecord } from '../domain/request-record.ts';
import type { Log } from '../kit/log.ts';
import { counter, orNull, parseDocument, text, timestamp } from '../store/document.ts';
import type { Entry, KeyStore } from '../store/key-store.ts';
import type { RegistryKeys } from './keys.ts';
import type { Of } from './rules/rule-context.ts';

/** Pages that one statement reads at most; a page has up to 200 requests. */
const maxPages = 2_000;
const keysAtOnce = 5_000;
const pagesAtOnce = 16;

/** Text of any length: a page has a limit of its own. */
const some = text(65_536);

const leg = v.object({
  worker: some,
  node: orNull(some),
  job_id: orNull(counter),
  result: some,
  exit_code: orNull(v.number()),
  reason: orNull(some),
  ran_ms: orNull(v.number()),
  output_bytes: counter,
  output_tail: some,
  output_tail_base64: v.optional(some),
});
const record = v.object({
  id: some,
  team: some,
  user: some,
  service: some,
  service_team: some,
  plugin: some,
  command: some,
  received_at: timestamp,
  finished_at: timestamp,
  result: some,
  exit_code: orNull(v.number()),
  reason: orNull(some),
  legs: v.array(leg),
  through: v.optional(v.array(some)),
});
const page = v.object({ records: v.array(record) });

interface HistoryOptions {
  readonly store: Pick<KeyStore, 'page' | 'getMany'>;
  readonly keys: RegistryKeys;
  readonly log: Log;
}

/** The team's requests that have ended and may be shown, newest first; 100 of them unless `limit` says otherwise. Throws the store's errors. */
export const listHistory = async (
  options: HistoryOptions,
  { team, limit = 100, service, worker, request }: Of<'history.list'>,
  shows: (record: RequestRecord) => boolean,
): Promise<RequestRecord[]> => {
  const isWanted = (record: RequestRecord): boolean =>
    (service === undefined || seen(record, record.service) === service) &&
    (worker === undefined || record.legs.some((leg) => seen(record, leg.worker) === worker)) &&
    (request === undefined || record.id === request) &&
    shows(record);
  const found = new Map<string, RequestRecord>();
  const keys = await newestPages(options, options.keys.histories(team));
  for (let at = 0; at < keys.length && found.size < limit; at += pagesAtOnce) {
    const pages = await options.store.getMany(keys.slice(at, at + pagesAtOnce));
    const records = pages.flatMap((entry) => recordsOf(options, entry).toReversed()).filter(isWanted);
    for (const each of records) if (!found.has(identityOf(each))) found.set(identityOf(each), each);
  }
  return [...found.values()].slice(0, limit);
};

/** The name that the asking team uses. */
const seen = ({ team, service_team }: RequestRecord, name: string): string => nameSeenBy(team, service_team, name);

/**
 * A request that continued with another broker is told by both: these are one, as long as they tell of the same jobs. Its
 * id alone would not do, for whoever asks chooses it.
 */
const identityOf = ({ id, user, service_team, service, plugin, command, legs }: RequestRecord): string =>
  JSON.stringify([
    id,
    user,
    service_team,
    service,
    plugin,
    command,
    legs.map((leg) => [leg.worker, leg.node, leg.job_id]),
  ]);

/** The newest pages in etcd's order: keys are ULIDs, whose order depends on the brokers' clocks. */
const newestPages = async ({ store }: HistoryOptions, prefix: string): Promise<string[]> => {
  let pages: Pick<Entry, 'key' | 'createRevision'>[] = [];
  for (let after: string | undefined; ; after = pages.at(-1)?.key) {
    const { entries, more } = await store.page(prefix, { after, limit: keysAtOnce, keysOnly: true });
    pages = [...pages, ...entries].slice(-10 * maxPages);
    if (more) continue;
    pages.sort((a, b) => (a.createRevision < b.createRevision ? 1 : -1));
    return pages.slice(0, maxPages).map(({ key }) => key);
  }
};

/** A page may be deleted meanwhile; a malformed page costs only itself. */
const recordsOf = ({ log }: HistoryOptions, entry: Entry | undefined): RequestRecord[] => {
  if (entry === undefined) return [];
  try {
    return parseDocument(page, entry.key, entry.value).records;
  } catch (error) {
    log.warn({ key: entry.key, error: asTriggerdError(error) }, 'Ignoring a malformed page of the history');
    return [];
  }
};
