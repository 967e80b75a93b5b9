/** Which job an action of tsp means, and how it refuses. */
import type { JobView, TspView } from '../../api/contract/jobs.ts';
import type { Session } from '../support/session.ts';
import { TspRefusal, numberOf as wordNumber } from './parse.ts';
import { hasEnded, numberOf } from './render.ts';

export const queuePath = ({ env }: Session): string =>
  `/v1/queues/${encodeURIComponent(env['TS_QUEUE'] || 'default')}/tsp`;

export const viewOf = (session: Session): Promise<TspView> => session.client.request<TspView>(queuePath(session));

/** The one that runs, else the one that ended last. */
export const lastRun = ({ jobs }: TspView): JobView | undefined =>
  jobs.find(({ state }) => state === 'running') ?? jobs.findLast(hasEnded);

/** The last one in the list that has not ended, else the one that ended last. */
export const lastListed = ({ jobs }: TspView): JobView | undefined =>
  jobs.findLast((job) => !hasEnded(job)) ?? jobs.at(-1);

export const withNumber = ({ jobs }: TspView, word: string): JobView | undefined => {
  const number = wordNumber(word);
  return jobs.find((job) => numberOf(job) === number);
};

/** The job of a value, else the one that the action chooses; refuses in tsp's words. */
export const chosen = async (
  session: Session,
  value: string | undefined,
  choose: (view: TspView) => JobView | undefined,
  words: { readonly last: string; readonly named: (word: string) => string },
): Promise<JobView> => {
  const view = await viewOf(session);
  const job = value === undefined ? choose(view) : withNumber(view, value);
  if (job === undefined) throw refused(value === undefined ? words.last : words.named(String(wordNumber(value))));
  return job;
};

export const refused = (why: string): TspRefusal => new TspRefusal(`Error in the request: ${why}`);

/** `The last job cannot be …`, `The job 7 cannot be …`. */
export const cannotBe = (participle: string) => ({
  last: `The last job cannot be ${participle}.`,
  named: (word: string) => `The job ${word} cannot be ${participle}.`,
});

export const notRun = {
  last: 'No jobs.',
  named: (word: string) => `Job ${word} not finished or not running.`,
};
