/**
 * Every command with its summary and its file. Only the file of the command that runs is loaded: `watch -n 1 trigger queue`
 * should not pay for the others.
 */
import type { CommandEntry } from './command.ts';

export const commands: Readonly<Record<string, CommandEntry>> = {
  queue: {
    summary: 'show and manage the jobs of a queue',
    alias: 'q',
    load: () => import('./commands/queue.ts'),
  },
  tsp: { summary: 'do the same as task-spooler’s tsp', load: () => import('./commands/tsp.ts') },
  fire: { summary: 'fire a trigger at nodes; prints the firing’s ID', load: () => import('./commands/fire.ts') },
  status: { summary: 'show recent firings, or the outcomes of one', load: () => import('./commands/status.ts') },
  why: { summary: 'show why something ran, and what followed', load: () => import('./commands/why.ts') },
  cancel: { summary: 'cancel a firing on nodes that have not run it', load: () => import('./commands/cancel.ts') },
  events: { summary: 'show events of this node, or of the fleet', load: () => import('./commands/events.ts') },
  nodes: { summary: 'show the nodes', load: () => import('./commands/nodes.ts') },
  node: { summary: 'manage replaced and removed nodes', load: () => import('./commands/node.ts') },
  login: { summary: 'get a token from a broker, for [main] jwt', load: () => import('./commands/login.ts') },
  broker: { summary: 'show brokers and this broker’s key', load: () => import('./commands/broker.ts') },
  plugin: { summary: 'show, test and create plugins of this node', load: () => import('./commands/plugin.ts') },
  request: {
    summary: 'send a request to a service; list and cancel requests',
    load: () => import('./commands/request.ts'),
  },
  service: { summary: 'manage services', load: () => import('./commands/service.ts') },
  worker: { summary: 'manage workers of services', load: () => import('./commands/worker.ts') },
  definition: { summary: 'manage definitions of trigger files', load: () => import('./commands/definition.ts') },
  directory: { summary: 'manage directories of trigger files', load: () => import('./commands/directory.ts') },
  team: { summary: 'manage teams', load: () => import('./commands/team.ts') },
  user: { summary: 'manage the users of a team', load: () => import('./commands/user.ts') },
  history: { summary: 'show ended requests', load: () => import('./commands/history.ts') },
  admin: {
    summary: 'set up the registry of teams, users, workers and services',
    load: () => import('./commands/admin.ts'),
  },
  mount: { summary: 'mount the trigger files', load: () => import('./commands/mount.ts') },
  doctor: { summary: 'find problems of this node', load: () => import('./commands/doctor.ts') },
  config: { summary: 'check and print the configuration', load: () => import('./commands/config.ts') },
  completion: {
    summary: 'print the completion script of a shell',
    load: () => import('./commands/completion.ts'),
  },
};
