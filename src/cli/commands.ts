/**
 * Every command with its summary, and the file that defines the rest of it. Only the file of the command that runs is
 * loaded: `watch -n 1 trigger queue` should not pay for the other thirty.
 */
import type { CommandEntry } from './command.ts';

export const commands: Readonly<Record<string, CommandEntry>> = {
  queue: {
    summary: 'show and manage the jobs of a queue',
    alias: 'q',
    load: () => import('./commands/queue.ts'),
    verbs: {
      add: { summary: 'add a job; prints its ID', load: () => import('./commands/queue/add.ts') },
      cat: { summary: 'print a job’s output', load: () => import('./commands/queue/cat.ts') },
      tail: { summary: 'follow a job’s output until it has ended', load: () => import('./commands/queue/tail.ts') },
      info: { summary: 'show all facts about a job', load: () => import('./commands/queue/info.ts') },
      wait: { summary: 'wait until a job has ended', load: () => import('./commands/queue/wait.ts') },
      kill: { summary: 'kill a running job', load: () => import('./commands/queue/kill.ts') },
      remove: { summary: 'remove a queued job', load: () => import('./commands/queue/remove.ts') },
      state: { summary: 'print a job’s state in one word', load: () => import('./commands/queue/state.ts') },
      output: { summary: 'print the path of a job’s output file', load: () => import('./commands/queue/output.ts') },
      urgent: { summary: 'move a queued job to the head', load: () => import('./commands/queue/urgent.ts') },
      retry: { summary: 'add an ended job again; prints the new ID', load: () => import('./commands/queue/retry.ts') },
      swap: { summary: 'swap two queued jobs', load: () => import('./commands/queue/swap.ts') },
      replay: {
        summary: 'send dead letters of trigger files again',
        load: () => import('./commands/queue/replay.ts'),
      },
      purge: { summary: 'delete dead letters of trigger files', load: () => import('./commands/queue/purge.ts') },
      clear: { summary: 'delete ended jobs', load: () => import('./commands/queue/clear.ts') },
      pause: { summary: 'stop starting jobs', load: () => import('./commands/queue/pause.ts') },
      resume: { summary: 'start jobs again', load: () => import('./commands/queue/resume.ts') },
      drain: { summary: 'refuse new jobs until all have ended', load: () => import('./commands/queue/drain.ts') },
      slots: { summary: 'show or set how many jobs run at once', load: () => import('./commands/queue/slots.ts') },
    },
  },
  tsp: { summary: 'do the same as task-spooler’s tsp', load: () => import('./commands/tsp.ts') },
  fire: { summary: 'fire a trigger at nodes; prints the firing’s ID', load: () => import('./commands/fire.ts') },
  status: { summary: 'show recent firings, or the outcomes of one', load: () => import('./commands/status.ts') },
  why: { summary: 'show why something ran, and what followed', load: () => import('./commands/why.ts') },
  cancel: { summary: 'cancel a firing on nodes that have not run it', load: () => import('./commands/cancel.ts') },
  events: { summary: 'show events of this node, or of the fleet', load: () => import('./commands/events.ts') },
  nodes: { summary: 'show the nodes', load: () => import('./commands/nodes.ts') },
  node: {
    summary: 'manage replaced and removed nodes',
    verbs: {
      adopt: { summary: 'give a node’s name to another machine', load: () => import('./commands/node/adopt.ts') },
      forget: {
        summary: 'cancel work owed to a node that will not come back',
        load: () => import('./commands/node/forget.ts'),
      },
    },
  },
  login: {
    summary: 'get a token from a broker, for [main] jwt',
    load: () => import('./commands/login.ts'),
  },
  broker: {
    summary: 'show brokers and this broker’s key',
    verbs: {
      key: { summary: 'print this broker’s public key', load: () => import('./commands/broker/key.ts') },
      list: { summary: 'list the brokers that are up', load: () => import('./commands/broker/list.ts') },
    },
  },
  plugin: {
    summary: 'show, test and create plugins of this node',
    verbs: {
      list: { summary: 'list the plugins', load: () => import('./commands/plugin/list.ts') },
      info: { summary: 'show a plugin and its arguments', load: () => import('./commands/plugin/info.ts') },
      test: { summary: 'run the test in a plugin’s manifest', load: () => import('./commands/plugin/test.ts') },
      new: { summary: 'create a plugin from a template', load: () => import('./commands/plugin/new.ts') },
    },
  },
  request: {
    summary: 'send a request to a service; list and cancel requests',
    load: () => import('./commands/request.ts'),
    verbs: {
      list: { summary: 'list waiting and running requests', load: () => import('./commands/request/list.ts') },
      cancel: { summary: 'cancel waiting or running requests', load: () => import('./commands/request/cancel.ts') },
    },
  },
  service: {
    summary: 'manage services',
    verbs: {
      add: { summary: 'create a service', load: () => import('./commands/service/add.ts') },
      set: { summary: 'change a service', load: () => import('./commands/service/set.ts') },
      show: { summary: 'show the services, or one', load: () => import('./commands/service/show.ts') },
      attach: { summary: 'attach a worker to a service', load: () => import('./commands/service/attach.ts') },
      detach: { summary: 'detach a worker from a service', load: () => import('./commands/service/detach.ts') },
      delete: { summary: 'delete a service', load: () => import('./commands/service/delete.ts') },
    },
  },
  worker: {
    summary: 'manage workers of services',
    verbs: {
      add: { summary: 'create a worker; prints its token once', load: () => import('./commands/worker/add.ts') },
      set: { summary: 'change a worker', load: () => import('./commands/worker/set.ts') },
      show: { summary: 'show the workers, or one', load: () => import('./commands/worker/show.ts') },
      rotate: { summary: 'give a worker a new token', load: () => import('./commands/worker/rotate.ts') },
      delete: { summary: 'delete a worker', load: () => import('./commands/worker/delete.ts') },
    },
  },
  definition: {
    summary: 'manage definitions of trigger files',
    verbs: {
      add: { summary: 'create a definition', load: () => import('./commands/definition/add.ts') },
      set: { summary: 'change or move a definition', load: () => import('./commands/definition/set.ts') },
      show: { summary: 'show the definitions, or one', load: () => import('./commands/definition/show.ts') },
      delete: { summary: 'delete a definition', load: () => import('./commands/definition/delete.ts') },
    },
  },
  directory: {
    summary: 'manage directories of trigger files',
    verbs: {
      add: { summary: 'create a directory', load: () => import('./commands/directory/add.ts') },
      set: { summary: 'change or move a directory', load: () => import('./commands/directory/set.ts') },
      show: { summary: 'show the directories, or one', load: () => import('./commands/directory/show.ts') },
      delete: { summary: 'delete an empty directory', load: () => import('./commands/directory/delete.ts') },
    },
  },
  team: {
    summary: 'manage teams',
    verbs: {
      add: { summary: 'create a team', load: () => import('./commands/team/add.ts') },
      set: { summary: 'change a team', load: () => import('./commands/team/set.ts') },
      show: { summary: 'show the teams, or one', load: () => import('./commands/team/show.ts') },
      invite: { summary: 'invite a user to a team', load: () => import('./commands/team/invite.ts') },
      remove: { summary: 'remove a user from a team', load: () => import('./commands/team/remove.ts') },
      delete: { summary: 'delete a team', load: () => import('./commands/team/delete.ts') },
    },
  },
  user: {
    summary: 'manage the users of a team',
    verbs: {
      add: { summary: 'create a user', load: () => import('./commands/user/add.ts') },
      set: { summary: 'change a user or the password', load: () => import('./commands/user/set.ts') },
      show: { summary: 'show the users, or one', load: () => import('./commands/user/show.ts') },
      revoke: { summary: 'end all logins and tokens of a user', load: () => import('./commands/user/revoke.ts') },
      delete: { summary: 'delete a user', load: () => import('./commands/user/delete.ts') },
    },
  },
  history: { summary: 'show ended requests', load: () => import('./commands/history.ts') },
  admin: {
    summary: 'set up the registry of teams, users, workers and services',
    verbs: {
      init: { summary: 'create the first team and its admin', load: () => import('./commands/admin/init.ts') },
    },
  },
  mount: { summary: 'mount the trigger files', load: () => import('./commands/mount.ts') },
  doctor: { summary: 'find problems of this node', load: () => import('./commands/doctor.ts') },
  config: {
    summary: 'check and print the configuration',
    verbs: {
      check: { summary: 'list all problems of a configuration file', load: () => import('./commands/config/check.ts') },
      print: { summary: 'print the configuration in force', load: () => import('./commands/config/print.ts') },
    },
  },
  completion: {
    summary: 'print the completion script of a shell',
    load: () => import('./commands/completion.ts'),
  },
};
