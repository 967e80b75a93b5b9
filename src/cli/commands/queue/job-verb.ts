import type { JobView } from '../../../api/contract/jobs.ts';
import type { Define } from '../../command.ts';
import { addHelp } from '../../support/help.ts';
import { jobId } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import type { Session } from '../../support/session.ts';
import { latestJob } from './latest-job.ts';

type Verb = 'kill' | 'remove' | 'urgent' | 'retry';

/** A verb that the daemon does to one job. Silent when it was done, as tsp is. */
export const defineJobVerb =
  (verb: Exclude<Verb, 'retry'>): Define =>
  (command, run) => {
    const meant = verb === 'kill' ? 'started' : 'queued';
    const said = verb === 'kill' ? 'the one that runs' : 'the one in the queue that was added last';
    addHelp(command, { examples: [`trigger queue ${verb}`, `trigger queue ${verb} 7`] });
    command.argument('[id]', `ID of the job (default: ${said})`, jobId).action(
      run(async (session, given: number | undefined) => {
        await doToJob(session, verb, given ?? (await latestJob(session, meant)), () => '');
        return 0;
      }),
    );
  };

/** `shows` says what to print without `--json`. */
export const doToJob = async (
  session: Session,
  verb: Verb,
  id: number,
  shows: (job: JobView) => string,
): Promise<void> => {
  const job = await session.client.request<JobView>(`/v1/jobs/${id}/${verb}`, { method: 'POST' });
  await print(session, job, () => shows(job));
};
