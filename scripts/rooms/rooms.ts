/** A folder of `src/`: what it is, and whose files its own may import. */
export interface Room {
  readonly is: string;
  readonly imports: readonly string[];
}

/**
 * The rooms from the ground up: the one place that says which arrows there are. `scripts/check` refuses an import that is
 * not declared here, a declared one that nobody uses, and circles; `npm run docs` draws them.
 */
export const rooms: Readonly<Record<string, Room>> = {
  kit: {
    is: 'what every room may use: waiting, retrying, time, text, sizes; only Node’s own modules',
    imports: [],
  },
  domain: {
    is: 'the nouns of the glossary: firing, job, result, outcome, request, names, the error catalogue',
    imports: ['kit'],
  },
  store: {
    is: 'the key-value store as a port, its keyspace, documents in it, elections, its space',
    imports: ['domain', 'kit'],
  },
  config: {
    is: 'TOML text → checked, frozen Config; one schema gives types, defaults, checks and the reference page',
    imports: ['domain', 'kit'],
  },
  queue: {
    is: 'named queues on p-queue over the journal: scheduling, coalescing, verbs, deferral, restore, retention',
    imports: ['domain', 'kit'],
  },
  bus: {
    is: 'requests between processes without sockets: messages, codec, and the client’s side',
    imports: ['domain', 'kit'],
  },
  registry: {
    is: 'teams, users, workers, services, definitions: rules as pure functions, a live mirror, logins and tokens',
    imports: ['store', 'domain', 'kit'],
  },
  fleet: {
    is: 'what spans nodes: who holds which name, who is present, which brokers are up',
    imports: ['store', 'domain', 'kit'],
  },
  plugin: {
    is: 'manifests, arguments, launch plans; drivers exec, command and puppet; processes that do many jobs',
    imports: ['queue', 'domain', 'kit'],
  },
  firings: {
    is: 'the way of a firing in etcd: publish, inbox, outcomes, follow, end, why, sweep',
    imports: ['fleet', 'queue', 'store', 'domain', 'kit'],
  },
  broker: {
    is: 'requests between clients and workers: sessions, queues, legs, output, history',
    imports: ['bus', 'fleet', 'registry', 'store', 'domain', 'kit'],
  },
  worker: {
    is: 'requests that brokers give to this node, as jobs of its queue',
    imports: ['bus', 'queue', 'domain', 'kit'],
  },
  mount: {
    is: 'trigger files: the tree, how writes become messages, their spool and delivery',
    imports: ['registry', 'domain', 'kit'],
  },
  events: {
    is: 'what happens, as events: this node’s log of them, and the fleet’s from etcd',
    imports: ['firings', 'fleet', 'queue', 'store', 'domain', 'kit'],
  },
  console: {
    is: 'the language of triggerfs-cli, one table of forms: words → a statement of the registry. Pure',
    imports: ['config', 'registry', 'domain', 'kit'],
  },
  api: {
    is: 'the control API: documents in contract/, routes/ by noun, without a server',
    imports: ['events', 'firings', 'plugin', 'queue', 'registry', 'domain', 'kit'],
  },
  doctor: {
    is: 'the checks of trigger doctor, and their findings',
    imports: ['api', 'config', 'plugin', 'store', 'domain', 'kit'],
  },
  adapters: {
    is: 'etcd, SQLite, ZeroMQ, FUSE, processes, files, systemd, Puppet: the only importers of network and native packages',
    imports: [
      'api',
      'bus',
      'config',
      'doctor',
      'events',
      'firings',
      'fleet',
      'mount',
      'plugin',
      'queue',
      'registry',
      'store',
      'domain',
      'kit',
    ],
  },
  runner: {
    is: 'the program that owns a running job and outlives the daemon',
    imports: ['adapters', 'queue', 'kit'],
  },
  client: {
    is: 'the library for programs (`triggerd/client`); the command line’s requests are built on it',
    imports: ['adapters', 'bus', 'config', 'registry', 'domain', 'kit'],
  },
  daemon: {
    is: 'the composition root: compose/ starts in the order of a firing, control/ answers the API, mount/ serves the files',
    imports: [
      'adapters',
      'api',
      'broker',
      'bus',
      'client',
      'config',
      'doctor',
      'events',
      'firings',
      'fleet',
      'mount',
      'plugin',
      'queue',
      'registry',
      'store',
      'worker',
      'domain',
      'kit',
    ],
  },
  cli: {
    is: 'the command line: commands/, loaded when they run; render/, completion/, console/, support/',
    imports: [
      'adapters',
      'api',
      'bus',
      'client',
      'config',
      'console',
      'daemon',
      'doctor',
      'events',
      'mount',
      'plugin',
      'registry',
      'domain',
      'kit',
    ],
  },
  programs: {
    is: 'what is started: triggerd, trigger, the programs of triggerFS, the runner, the mount',
    imports: ['adapters', 'cli', 'client', 'config', 'daemon', 'mount', 'queue', 'runner', 'domain', 'kit'],
  },
};
