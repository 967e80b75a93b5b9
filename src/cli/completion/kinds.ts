/** Which values an option or an argument takes. */
import { type Argument, type Command, Option } from 'commander';
import type { ValueKind } from './values.ts';

export type Kind = ValueKind | ':files' | ':commands' | ':conditions';

const kindOfOption: Readonly<Record<string, Kind>> = {
  '--queue': 'queues',
  '--host': 'nodes',
  '--node': 'nodes',
  '--plugin': 'plugins',
  '--after': 'jobs',
  '--if-ok': 'jobs',
  '--team': 'team',
  '--service': 'service',
  '--worker': 'worker',
  '--owner': 'user',
  '--config': ':files',
  '--on-finish': ':commands',
  '--socket': ':files',
  '--filter-replies': ':conditions',
  '--dir': ':files',
};

/** What completes an option's value, or an argument of a command. */
export const kindOf = (wanted: Option | Argument, command: Command): Kind | undefined =>
  wanted instanceof Option ? kindOfOption[wanted.long ?? ''] : kindOfArgument(wanted.name(), command.name());

/** By the argument's name; which jobs, by the verb. */
const kindOfArgument = (argument: string, verb: string): Kind | undefined => {
  switch (argument) {
    case 'id':
    case 'a':
    case 'b':
      return jobsFor[verb] ?? 'jobs';
    case 'firing':
      return 'firings';
    case 'request':
      return 'requests';
    case 'node':
    case 'what': // of `why`; what people ask about most
      return 'nodes';
    case 'plugin':
      return 'plugins';
    case 'worker':
    case 'service':
    case 'definition':
    case 'directory':
    case 'team':
    case 'user':
      // What is to be made has no name yet.
      return verb === 'add' ? undefined : argument;
    case 'file':
      return ':files';
    case 'command':
      return ':commands';
    default:
      return undefined;
  }
};

const jobsFor: Readonly<Record<string, ValueKind>> = {
  kill: 'running',
  remove: 'queued',
  urgent: 'queued',
  swap: 'queued',
  retry: 'ended',
};
