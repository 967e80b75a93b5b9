import { TriggerdError } from '../domain/errors.ts';
import type { JobRequest } from '../domain/job.ts';
import { commandText } from './command-text.ts';
import { concludeFromExit, type Driver } from './drivers.ts';

/** One process per job: the plugin's executable with the job's arguments. */
export const execDriver: Driver = {
  check: (plugin, request) => {
    if (request.noop && !plugin.manifest.noop)
      throw new TriggerdError(
        'plugin-arguments',
        `plugin ${plugin.name} has no noop mode, so it cannot run a noop job`,
      );
  },
  argv: (plugin, job) => [plugin.executable, ...job.request.argv],
  shown: (plugin, request) => {
    const named = Object.entries(request.args).map(([name, value]) => `${name}=${value}`);
    return commandText([plugin.name, ...request.argv, ...named]);
  },
  obstacle: async () => null,
  conclude: async (_job, runExit, terms) => concludeFromExit(runExit, terms),
};

/**
 * Plugin `command`: a command line given as words is started as it is, without a shell and without the cost of one;
 * a command given as one text (argument `command`, or the payload) goes to the plugin's executable, which is a shell.
 */
export const commandDriver: Driver = {
  ...execDriver,
  argv: (plugin, job) => {
    const [program, ...rest] = job.request.argv;
    return program === undefined ? execDriver.argv(plugin, job) : [program, ...rest];
  },
  shown: (plugin, request) =>
    request.argv.length > 0
      ? commandText(request.argv)
      : (request.args['command'] ?? textOf(request)?.slice(0, shownLength) ?? plugin.name),
};

/** A payload may be a whole script. */
const shownLength = 200;

/** The payload, where that is the command. */
const textOf = ({ payload, payloadEncoding }: JobRequest): string | undefined => {
  const text = payloadEncoding === undefined ? payload?.trim() : undefined;
  return text === '' ? undefined : text;
};
