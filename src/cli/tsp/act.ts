import type { JobView } from '../../api/contract/jobs.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { followOutput, waitForJob } from '../queue/wait-for-job.ts';
import type { Session } from '../support/session.ts';
import { packageVersion } from '../support/version.ts';
import { addTspJob } from './add.ts';
import { tspHelp } from './help.ts';
import { cannotBe, chosen, lastListed, lastRun, notRun, queuePath, refused, viewOf, withNumber } from './jobs.ts';
import { type Action, numberOf, type TspLine, TspRefusal } from './parse.ts';
import { hasEnded, levelOf, renderTspInfo, renderTspList } from './render.ts';

/** Does what tsp would; gives its exit code, which is −1 where tsp's is. Throws `TspRefusal`. */
export const actAsTsp = (session: Session, line: TspLine): Promise<number> =>
  line.action === 'add' ? addTspJob(session, line) : acts[line.action](session, line.value);

type Act = (session: Session, value: string | undefined) => Promise<number>;

const printing =
  (text: (session: Session, value: string | undefined) => Promise<string> | string): Act =>
  async (session, value) => {
    await session.terminal.out(await text(session, value));
    return 0;
  };

/** A job that runs or ran, whole. */
const runOne = async (session: Session, value: string | undefined): Promise<JobView> => {
  const job = await chosen(session, value, lastRun, notRun);
  if (job.state === 'queued') throw refused(notRun.named(value ?? ''));
  if (job.state === 'skipped')
    throw refused(
      `${value === undefined ? 'The last job' : `Job ${numberOf(value)}`} was skipped due to a dependency.`,
    );
  return session.client.request<JobView>(`/v1/jobs/${job.id}`);
};

const outputOf = async (session: Session, value: string | undefined, lines?: number): Promise<number> => {
  const job = await runOne(session, value);
  if (job.tsp?.stored === false) throw new TspRefusal('The output is not stored. Cannot tail.');
  await followOutput(session, job.id, { ...(lines === undefined ? {} : { lines }), raw: true });
  return levelOf(await session.client.request<JobView>(`/v1/jobs/${job.id}`));
};

const urgent: Act = async (session, value) => {
  const words = cannotBe('urged');
  const job = await chosen(session, value, (view) => view.jobs.findLast(({ state }) => state === 'queued'), words);
  const why = value === undefined ? words.last : words.named(String(numberOf(value)));
  return unlessWrongState(why, () => session.client.request(`/v1/jobs/${job.id}/urgent`, { method: 'POST' }));
};

/** A queued job is taken out; one that has ended leaves the list. */
const remove: Act = async (session, value) => {
  const words = cannotBe('removed');
  const job = await chosen(session, value, lastListed, words);
  const why = value === undefined ? words.last : words.named(String(numberOf(value)));
  const body = { number: job.tsp?.number };
  if (hasEnded(job)) await session.client.request(`${queuePath(session)}/hide`, { method: 'POST', body });
  else await unlessWrongState(why, () => session.client.request(`/v1/jobs/${job.id}/remove`, { method: 'POST' }));
  return 0;
};

const unlessWrongState = async (why: string, ask: () => Promise<unknown>): Promise<number> => {
  try {
    await ask();
    return 0;
  } catch (thrown) {
    if (thrown instanceof TriggerdError && thrown.code === 'job-state') throw refused(why);
    throw thrown;
  }
};

const kill: Act = async (session, value) => {
  const job = await runOne(session, value);
  if (job.state !== 'running') throw refused(notRun.named(String(job.tsp?.number)));
  return unlessWrongState(notRun.named(String(job.tsp?.number)), () =>
    session.client.request(`/v1/jobs/${job.id}/kill`, { method: 'POST' }),
  );
};

const wait: Act = async (session, value) => {
  const job = await chosen(session, value, lastListed, cannotBe('waited'));
  if (!hasEnded(job)) await waitForJob({ ...session, json: false }, job.id);
  return levelOf(await session.client.request<JobView>(`/v1/jobs/${job.id}`));
};

const swap: Act = async (session, value = '') => {
  const [, a = '', b = ''] = /^([^-]*)-(.*)$/.exec(value) ?? [];
  if (!value.includes('-')) throw new TspRefusal('Wrong <id-id> for -U.');
  if (numberOf(a) === numberOf(b)) throw new TspRefusal('Wrong <id-id> for -U. Use different ids.');
  const view = await viewOf(session);
  const [first, second] = [withNumber(view, a), withNumber(view, b)];
  const why = `The jobs ${numberOf(a)} and ${numberOf(b)} cannot be swapped.`;
  if (first === undefined || second === undefined) throw refused(why);
  const body = { a: first.id, b: second.id };
  return unlessWrongState(why, () => session.client.request('/v1/jobs/swap', { method: 'POST', body }));
};

const slots: Act = async (session, value) => {
  if (value === undefined) return printing(async () => `${(await viewOf(session)).slots}\n`)(session, value);
  const count = numberOf(value);
  if (count < 1) throw new TspRefusal('You should set at minimum 1 slot.');
  const path = queuePath(session).replace(/tsp$/, 'slots');
  await session.client.request(path, { method: 'PUT', body: { slots: count } });
  return 0;
};

const restart: Act = async (session) => {
  const count = numberOf(session.env['TS_SLOTS'] ?? '');
  const body = count < 1 ? {} : { slots: count };
  await session.client.request(`${queuePath(session)}/restart`, { method: 'POST', body });
  return 0;
};

const clear: Act = async (session) => {
  await session.client.request(`${queuePath(session)}/clear`, { method: 'POST' });
  return 0;
};

const acts: Readonly<Record<Action, Act>> = {
  list: printing(async (session) => renderTspList(await viewOf(session))),
  clear,
  restart,
  help: printing(() => tspHelp),
  version: printing(() => `Task Spooler v1.0.1 - as triggerd ${packageVersion()} does it\n`),
  tail: (session, value) => outputOf(session, value, 10),
  cat: (session, value) => outputOf(session, value),
  output: printing(async (session, value) => `${(await runOne(session, value)).output ?? ''}\n`),
  pid: printing(async (session, value) => `${(await runOne(session, value)).pid ?? -1}\n`),
  info: printing(async (session, value) => {
    const { id } = await chosen(session, value, lastRun, notRun);
    return renderTspInfo(await session.client.request<JobView>(`/v1/jobs/${id}`), Date.now());
  }),
  state: printing(
    async (session, value) => `${(await chosen(session, value, lastListed, cannotBe('stated'))).state}\n`,
  ),
  remove,
  wait,
  urgent,
  kill,
  slots,
  swap,
};
