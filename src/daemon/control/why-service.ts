import { createReportSource } from '../../adapters/puppetdb/report-query.ts';
import type { Explained, Why } from '../../api/services/services.ts';
import type { Config } from '../../config/schema.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { isNodeName, printable } from '../../domain/names.ts';
import { outcomeOfJob } from '../../domain/outcome.ts';
import { explainFiring, explainRun } from '../../firings/why/explain.ts';
import {
  firingWithId,
  isMember,
  lastFiringOf,
  lastRunOn,
  owedTo,
  type ReportSource,
  reportsOf,
} from '../../firings/why/look-up.ts';
import type { Runtime } from '../compose/runtime.ts';

/** So many firings of one job are looked at, the newest. */
const maxFirings = 50;

/** `trigger why`: finds out what is meant, explains it, and adds the reports that PuppetDB has, if it is configured. */
export const createWhyService = (runtime: Runtime): ((what: string) => Promise<Why>) => {
  const { puppetdb } = runtime.config;
  const source = puppetdb === undefined ? null : reportSource(puppetdb);
  return async (what) => {
    const explained = await explain(runtime, what);
    if (source === null) return { ...explained, reports: new Map() };
    const { reports, problem } = await reportsOf(explained.explanation.graph, source);
    const { explanation } = explained;
    const notes = problem === null ? explanation.notes : [...explanation.notes, `no links to reports: ${problem}`];
    return { ...explained, explanation: { ...explanation, notes }, reports };
  };
};

const reportSource = (puppetdb: NonNullable<Config['puppetdb']>): ReportSource =>
  createReportSource({
    url: puppetdb.url,
    caFile: puppetdb.ca_file,
    certFile: puppetdb.cert_file,
    keyFile: puppetdb.key_file,
    timeoutMs: puppetdb.timeout,
    reportUrl: puppetdb.report_url,
  });

/** A number is a job; then a firing's id, or how it begins, comes before a node's name, and that before a trigger's. */
const explain = async (runtime: Runtime, what: string): Promise<Explained> => {
  if (/^[1-9]\d{0,14}$/.test(what)) return explainJob(runtime, Number(what));
  const firing = await firingWithId(runtime.keyspace, what);
  if (firing !== undefined) return firingExplained(runtime, firing);
  const node = isNodeName(what.toLowerCase()) ? await explainNode(runtime, what.toLowerCase()) : undefined;
  if (node !== undefined) return node;
  const last = await lastFiringOf(runtime.keyspace, what);
  if (last !== undefined) return firingExplained(runtime, last);
  throw new TriggerdError('why-unknown', `“${printable(what)}” is not a firing, job, node or trigger`);
};

const firingExplained = async ({ keyspace }: Runtime, id: string): Promise<Explained> => ({
  kind: 'firing',
  name: id,
  explanation: await explainFiring(keyspace, id),
});

const explainJob = async ({ keyspace, queues, journal, options }: Runtime, id: number): Promise<Explained> => {
  const job = queues.get(id);
  const firings = journal.firings.ofJob(id).slice(-maxFirings);
  const outcomes = firings.map(({ firing }) => outcomeOfJob(job, firing.id, options.node, null));
  const explanation = await explainRun(
    keyspace,
    outcomes,
    firings.map(({ firing }) => firing),
  );
  return { kind: 'job', name: String(id), job, explanation };
};

/** Undefined when nobody has heard of the node. */
const explainNode = async ({ keyspace }: Runtime, node: string): Promise<Explained | undefined> => {
  const [owed, last] = await Promise.all([owedTo(keyspace, node), lastRunOn(keyspace, node)]);
  if (owed.total === 0 && last === undefined && !(await isMember(keyspace, node))) return undefined;
  const explanation = await explainRun(keyspace, last === undefined ? [] : [last]);
  return { kind: 'node', name: node, owed, explanation };
};
