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

/** By the argument's name. */
const kindOfArgument: Readonly<Record<string, Kind>> = {
  id: 'jobs',
  a: 'jobs',
  b: 'jobs',
  firing: 'firings',
  request: 'requests',
  node: 'nodes',
  // Of `why`; what people ask about most.
  what: 'nodes',
  plugin: 'plugins',
  worker: 'worker',
  service: 'service',
  definition: 'definition',
  directory: 'directory',
  team: 'team',
  user: 'user',
  file: ':files',
  command: ':commands',
};

/** What completes an option's value, or an argument of a command; which jobs, by the verb. */
export const kindOf = (wanted: Option | Argument, command: Command): Kind | undefined => {
  if (wanted instanceof Option) return kindOfOption[wanted.long ?? ''];
  const kind = kindOfArgument[wanted.name()];
  if (kind === 'jobs') return jobsFor[command.name()] ?? kind;
  // What is to be made has no name yet.
  return command.name() === 'add' && kind === wanted.name() ? undefined : kind;
};

const jobsFor: Readonly<Record<string, ValueKind>> = {
  kill: 'running',
  remove: 'queued',
  urgent: 'queued',
  swap: 'queued',
  retry: 'ended',
};
