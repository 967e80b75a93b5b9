import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertExactEnvironment, workingFolder } from '../../adapters/system/exact-text.ts';
import type { JobView, NewJobBody } from '../../api/contract/jobs.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { given } from '../../kit/given.ts';
import { followOutput, waitForJob } from '../queue/wait-for-job.ts';
import { askingUser, type Session } from '../support/session.ts';
import type { TspLine } from './parse.ts';
import { levelOf, numberOf } from './render.ts';

/** Sends the output to $TS_MAILTO, and runs $TS_ONFINISH. */
const mailProgram = resolve(import.meta.dirname, '../../../libexec/tsp-mail');

/** Between two attempts to add a job to a full queue. */
const fullMs = 1000;

/** Adds the job, prints its number, and with `-f` waits for its end. */
export const addTspJob = async (session: Session, line: TspLine): Promise<number> => {
  const job = await added(session, line);
  if (job === 'full') return 2;
  if (line.stores) await session.terminal.out(`${numberOf(job)}\n`);
  if (line.background) return 0;
  if (line.stores) await waitForJob({ ...session, json: false }, job.id);
  else await followOutput(session, job.id, { raw: true });
  return levelOf(await session.client.request<JobView>(`/v1/jobs/${job.id}`));
};

const added = async (session: Session, line: TspLine): Promise<JobView | 'full'> => {
  for (;;) {
    try {
      return await session.client.request<JobView>('/v1/jobs', { method: 'POST', body: bodyOf(session, line) });
    } catch (thrown) {
      if (!(thrown instanceof TriggerdError && thrown.code === 'queue-full')) throw thrown;
      if (line.failsWhenFull) {
        session.terminal.err('Error, queue full\n');
        return 'full';
      }
      await sleep(fullMs, undefined, { signal: session.interrupt });
    }
  }
};

/** Throws `text-not-utf8`. */
const bodyOf = ({ env }: Session, line: TspLine): NewJobBody => {
  assertExactEnvironment();
  const { argv, label, needs, slots, stores, background, stderrApart, compresses } = line;
  const program = line.mails ? mailProgram : env['TS_ONFINISH'];
  return {
    queue: env['TS_QUEUE'] || 'default',
    plugin: 'command',
    argv,
    cwd: workingFolder(),
    env: ownEnvironment(env),
    user: askingUser(env),
    ...given({ label }),
    ...(slots === 1 ? {} : { slots }),
    ...(stderrApart ? { stderr_apart: true } : {}),
    ...(compresses ? { gzip: true } : {}),
    ...(program === undefined || program === '' ? {} : { on_finish: program }),
    tsp: { command: argv.join(' '), stored: stores, kept: stores || background, ...given({ needs }) },
  };
};

/** A job of tsp has the environment of who added it; not what tells it that it is a job already. */
const ownEnvironment = (env: Session['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) || /^TRIGGER(D|_ARG)_/.test(name)
        ? []
        : [[name, value]],
    ),
  );
