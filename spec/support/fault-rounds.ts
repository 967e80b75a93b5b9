import type { ErrorView } from '../../src/api/contract/errors.ts';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { parseOutcome } from '../../src/firings/wire/outcome.ts';
import { call, postJob } from './api.ts';
import { pause } from './faults.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import type { Random } from './random.ts';
import { until } from './wait.ts';

/** One fault at a random moment each; the quick tests do a few of them, the soak hundreds. */
export type Round = (fleet: Fleet, random: Random, name: string) => Promise<void>;

const nodeOf = (fleet: Fleet, random: Random): FleetNode => random.pick(fleet.nodes);

/** A1, A2, A3: the daemon dies somewhere between accepting and reporting, with jobs that run. */
export const killDaemon: Round = async (fleet, random, name) => {
  const node = nodeOf(fleet, random);
  const fired = Promise.all(
    Array.from({ length: 4 }, (_, i) => fleet.fire(`${name}-${i % 3}`, { ms: random.between(0, 60) })),
  );
  await pause(random.between(0, 150));
  await node.crash();
  await pause(random.between(0, 50));
  await node.start();
  await fired;
};

/** B4: a member dies under writes, and comes back. */
export const killMember: Round = async (fleet, random, name) => {
  const member = random.pick(fleet.etcd);
  const fired = Promise.all(Array.from({ length: 4 }, (_, i) => fleet.fire(`${name}-${i % 2}`)));
  await pause(random.between(0, 80));
  await member.kill();
  await pause(random.between(0, 300));
  await fleet.fire(`${name}-meanwhile`);
  await member.start();
  await fired;
};

/** B5: a link is silent for a while, in one direction or both. */
export const silence: Round = async (fleet, random, name) => {
  const link = random.pick(nodeOf(fleet, random).links);
  const isOneWay = random.next() < 0.5;
  if (isOneWay) link.drop(random.pick(['to-server', 'to-client'] as const));
  else link.stall();
  const fired = Promise.all(Array.from({ length: 3 }, (_, i) => fleet.fire(`${name}-${i}`)));
  await pause(random.between(20, 800));
  link.drop('nothing');
  link.resume();
  // Bytes are missing in this stream: no TCP would continue with it.
  if (isOneWay) link.cut();
  await fired;
};

/** B8: answers are lost at random moments of accepting, running and reporting. */
export const loseAnswers: Round = async (fleet, random, name) => {
  const { links } = nodeOf(fleet, random);
  const fired = fleet.fire(name, { ms: random.between(0, 80) });
  await pause(random.between(0, 120));
  for (const link of links) link.drop('to-client');
  await pause(random.between(10, 150));
  for (const link of links) {
    link.drop('nothing');
    link.cut();
  }
  await fired;
};

/** C10: what is fired while the same thing runs joins one job behind it: a job is made only when none of its kind waits. */
export const burstDuringRun: Round = async (fleet, random, name) => {
  const node = nodeOf(fleet, random).name;
  const fire = () => fleet.fire(name, { targets: [node], ms: 120 });
  const ids = [await fire()];
  const burst = Array.from({ length: random.between(1, 6) }, async () => {
    await pause(random.between(0, 200));
    ids.push(await fire());
  });
  await Promise.all(burst);
  await fleet.settled();
  const { store, keys } = fleet.keyspace;
  const outcomes = await Promise.all(
    ids.map(async (id) => parseOutcome(id, (await store.get(keys.outcome(id, node)))?.value ?? '')),
  );
  const jobs = [...new Map(outcomes.map((outcome) => [outcome.jobId, outcome])).values()];
  jobs.sort((a, b) => (a.jobId ?? 0) - (b.jobId ?? 0));
  // A third is made when the second runs, so when the first has ended.
  for (const [index, { jobId, queuedAt }] of jobs.entries()) {
    const first = jobs[index - 2];
    if (first !== undefined && (queuedAt ?? 0) < (first.finishedAt ?? 0))
      throw new Error(`job ${jobId} was made while another of its kind waited behind job ${first.jobId}`);
  }
};

/** C8: all verbs at once. Each job ends once; what was removed never ran; nothing is left of what was killed. */
export const raceVerbs: Round = async (fleet, random, name) => {
  const { socket } = nodeOf(fleet, random);
  const jobs: number[] = [];
  const verbs: (() => Promise<unknown>)[] = [
    async () => {
      const args = { key: name, ms: String(random.between(0, 60)) };
      jobs.push((await postJob(socket, { plugin: 'record', args })).id);
    },
    () => call(socket, 'POST', `/v1/jobs/${random.pick(jobs)}/kill`),
    () => call(socket, 'POST', `/v1/jobs/${random.pick(jobs)}/remove`),
    () => call(socket, 'POST', `/v1/jobs/${random.pick(jobs)}/urgent`),
    () => call(socket, 'POST', '/v1/jobs/swap', { a: random.pick(jobs), b: random.pick(jobs) }),
    () => call(socket, 'POST', '/v1/queues/default/pause'),
    () => call(socket, 'POST', '/v1/queues/default/resume'),
  ];
  const [add = async () => undefined] = verbs;
  await Promise.all([add(), add(), add(), add()]);
  const tries = Array.from({ length: 24 }, async () => {
    await pause(random.between(0, 250));
    await random
      .pick(verbs)()
      .catch((error: unknown) => noteRefusal(fleet, error));
  });
  await Promise.all(tries);
  await call(socket, 'POST', '/v1/queues/default/resume');
  await until(async () => (await viewsOf(socket, jobs)).every(isOver), 'all jobs to end');
  const runs = fleet.recorder.executions();
  for (const { id, state, result } of await viewsOf(socket, jobs)) {
    const times = runs.filter(({ job }) => job === String(id)).length;
    const expected = state === 'skipped' ? [0] : result === 'killed' ? [0, 1] : [1];
    if (!expected.includes(times)) throw new Error(`job ${id} is ${state} (${result}) and ran ${times} times`);
  }
};

const viewsOf = (socket: string, ids: readonly number[]): Promise<JobView[]> =>
  Promise.all(ids.map((id) => call<JobView>(socket, 'GET', `/v1/jobs/${id}`)));
const isOver = ({ state }: JobView): boolean => state === 'finished' || state === 'skipped';

/** `call` throws `METHOD path: status body`. */
const noteRefusal = (fleet: Fleet, thrown: unknown): void => {
  const [, body = ''] = /: \d{3} (.*)$/s.exec(String(thrown)) ?? [];
  const { error } = body === '' ? { error: undefined } : (JSON.parse(body) as { error: ErrorView });
  fleet.recorder.refused(String(thrown), error?.code ?? null, error?.message ?? '');
};
