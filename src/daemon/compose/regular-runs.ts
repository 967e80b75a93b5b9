import { createWatchPaths } from '../../adapters/process/watch-paths.ts';
import type { JobId } from '../../domain/job.ts';
import { satisfyByRun } from '../../firings/outcomes/satisfy.ts';
import type { Releasers } from '../../kit/releasers.ts';
import type { PuppetSettings } from '../../plugin/ports.ts';
import { readPuppetCommand, settingsQuery } from '../../plugin/puppet/command-line.ts';
import { isCoveredBy, type RegularRun, readAgentRun } from '../../plugin/puppet/regular-run.ts';
import type { Runtime } from './runtime.ts';

/** Where Puppet could not be asked for its paths, it is asked again after this long. */
const askAgainMs = 300_000;
const lookAtMostMs = 60_000;

/** Ends the queued jobs that this run has made unnecessary. */
export const recordRun = ({ options, queues, journal, plugins, clockSteps }: Runtime, run: RegularRun): JobId[] => {
  const { startedAt, finishedAt, exitCode, facts } = run;
  if (!clockSteps.isComparable(startedAt)) return [];
  const details = { puppet: facts, regular_run: true };
  const satisfied = satisfyByRun(
    { queues, firings: journal.firings },
    { startedAt, finishedAt, exitCode, details },
    ({ request }) => isCoveredBy(run, request, request.runCommand ?? plugins.runCommand()),
  );
  if (satisfied.length > 0)
    options.log.info({ jobs: satisfied, report: facts.report }, 'A regular Puppet run satisfied queued jobs');
  return satisfied;
};

/**
 * Notices the agent's own runs by the report that each leaves on this node, so that no report processor is needed for
 * them (those run on the Puppet server).
 */
export const noticeAgentRuns = (runtime: Runtime, releasers: Releasers): void => {
  const { plugins, options } = runtime;
  let stopWatching: () => void = () => undefined;
  let isStopped = false;
  let lastSeen: number | undefined;
  releasers.push('regular runs', () => {
    isStopped = true;
    stopWatching();
  });

  const lookOnce = async (settings: PuppetSettings): Promise<void> => {
    try {
      // A report can be large; mostly there is nothing that it could end.
      if (runtime.queues.summary().every(({ queued }) => queued === 0)) return;
      const run = await readAgentRun(plugins.puppetHost, settings);
      if (run === null || isStopped || run.startedAt === lastSeen) return;
      recordRun(runtime, run);
      lastSeen = run.startedAt;
    } catch (error) {
      options.log.warn({ error }, 'Cannot use the report of a regular Puppet run; queued jobs will run');
    }
  };
  let isLooking = false;
  let mustLookAgain = false;
  /** One look at a time, whatever happens in that folder meanwhile. */
  const look = async (settings: PuppetSettings): Promise<void> => {
    mustLookAgain = true;
    if (isLooking) return;
    isLooking = true;
    while (mustLookAgain && !isStopped) {
      mustLookAgain = false;
      await lookOnce(settings);
    }
    isLooking = false;
  };
  const begin = async (): Promise<void> => {
    const command = readPuppetCommand(plugins.runCommand());
    const query = command.kind === 'agent' ? settingsQuery(command) : undefined;
    if (query === undefined) return;
    const settings = await plugins.puppetHost.settings(query);
    if (isStopped) return;
    if (settings === undefined) {
      const timer = setTimeout(() => void begin(), askAgainMs).unref();
      stopWatching = () => clearTimeout(timer);
      return;
    }
    stopWatching = createWatchPaths(lookAtMostMs)([settings.lastRunReport], () => void look(settings));
    await look(settings);
  };
  void begin();
};
