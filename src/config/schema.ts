/**
 * The configuration file, key by key. This one value gives the static type, the defaults, the checks and
 * `docs/reference/configuration.md`; nothing else knows what keys there are.
 *
 * Code sees the file's own names (`config.etcd.request_timeout`), so that one search finds a key everywhere. Durations
 * arrive as milliseconds, sizes as bytes.
 */
import * as v from 'valibot';
import { maxSlots } from '../domain/job.ts';
import { isPluginName } from '../domain/names.ts';
import { defaultSocketPath } from './default-socket.ts';
import {
  absolutePath,
  address,
  addresses,
  anyPath,
  choice,
  commandLine,
  duration,
  flag,
  integer,
  listOf,
  nodeName,
  oneOrMore,
  oneOrMoreAddresses,
  size,
  socketPath,
  text,
  textLike,
} from './leaf.ts';

const sectionMessage = 'a section';

const section = <const Entries extends v.ObjectEntries>(about: string, entries: Entries) =>
  v.pipe(v.object(entries, sectionMessage), v.description(about));

const isPrefix = (prefix: string): boolean => /^(?:\/[A-Za-z0-9._-]+)+$/.test(prefix);
/** 32 bytes in Z85, as ZeroMQ writes CURVE keys. */
const isBrokerKey = (key: string): boolean => /^[0-9a-zA-Z.:+=^!/*?&<>()[\]{}@%$#-]{40}$/.test(key);
const isAcceptance = (rule: string): boolean => rule === '*' || /^[^\s:]+:[^\s:]+$/.test(rule);

const node = section('This node.', {
  name: v.optional(
    nodeName('Name of this node. When missing: Puppet’s certname where Puppet is installed, else the FQDN.'),
  ),
  state_dir: v.optional(
    absolutePath('Folder of the journal and of the jobs’ files. Only one daemon may use it.'),
    '/var/lib/triggerd',
  ),
  spool: v.optional(
    absolutePath('Folder of firings that etcd does not have yet. When missing: `spool` below `state_dir`.'),
  ),
  socket: v.optional(socketPath('Control socket: where `trigger` reaches the daemon.'), defaultSocketPath),
  takeover: v.optional(
    choice(
      ['auto', 'adopt'],
      'When another machine may take this node’s name: `auto`: 10 to 14 minutes after the end of this daemon. `adopt`: only after `trigger node adopt NAME`.',
    ),
    'auto',
  ),
});

const etcd = section('The etcd that firings and outcomes travel through.', {
  endpoints: v.optional(
    addresses('url', 'addresses such as "http://127.0.0.1:2379"', 'Client URLs of the cluster’s members.'),
    ['http://127.0.0.1:2379'],
  ),
  prefix: v.optional(
    textLike('a key prefix such as "/trigger"', isPrefix, 'All keys are below this prefix.'),
    '/trigger',
  ),
  embedded: v.optional(
    flag('Start and supervise a local etcd under `state_dir`; only TLS with its own certificates opens it.'),
    false,
  ),
  embedded_port: v.optional(
    integer('Client port of the embedded etcd, on 127.0.0.1. When missing: the port of the first endpoint.', 1, 65_535),
  ),
  ca_file: v.optional(absolutePath('CA certificate that the endpoints’ certificates are checked against.')),
  cert_file: v.optional(absolutePath('Client certificate; with `key_file`.')),
  key_file: v.optional(absolutePath('Key of the client certificate.')),
  username: v.optional(text('etcd user; with `password_file`.')),
  password_file: v.optional(absolutePath('File with the user’s password, readable only by the daemon.')),
  quota: v.optional(
    size(
      'How large etcd may grow: its `--quota-backend-bytes`. When missing: as etcd’s `/metrics` says, else 2GiB; 512MiB for the embedded etcd.',
    ),
  ),
  request_timeout: v.optional(duration('How long one request to etcd may take.'), '5s'),
});

export const defaultRunCommand = 'puppet agent --test';

const watch = section('The watcher of this node’s inbox.', {
  enabled: v.optional(flag('Watch this node’s inbox and run what is fired at it.'), true),
  run_cmd: v.optional(commandLine('What a firing runs when it names no plugin; no shell reads it.'), defaultRunCommand),
  allow: v.optional(listOf('plugin names', isPluginName, 'Plugins that a firing may start on this node.'), ['puppet']),
});

const queue = (slots: number) =>
  section('A queue of jobs. `default` and `requests` are always there.', {
    slots: v.optional(
      integer('How many jobs of this queue may run at the same time; 4 in the queue `requests`.', 1, maxSlots),
      slots,
    ),
    max_queued: v.optional(integer('More queued jobs than this are refused.', 1, 10_000_000), 100_000),
  });

const queues = v.pipe(
  v.objectWithRest({ default: v.optional(queue(1), {}), requests: v.optional(queue(4), {}) }, queue(1), sectionMessage),
  v.description('The queues.'),
  v.metadata({ names: 'NAME' }),
);

/** Where the package puts them. */
export const defaultPluginsPath = '/usr/lib/triggerd/plugins';

const plugins = section('The plugins of this node.', {
  path: v.optional(absolutePath('Folder of the plugins; a plugin’s name is its path below it.'), defaultPluginsPath),
});

const jobs = section('What holds for every job.', {
  grace: v.optional(duration('Time between TERM and KILL when a job is killed or times out.', 0), '10s'),
  max_output: v.optional(
    size('Bytes of output kept per job; what exceeds it is counted, and its last part kept.'),
    '64MiB',
  ),
  max_attempts: v.optional(
    integer('Starts of one job at most, when its plugin wants it run again after an interruption.', 1, 100),
    3,
  ),
  max_memory: v.optional(
    size(
      'Memory of one job; the kernel kills what exceeds it. With systemd of the whole job, elsewhere of each of its processes. When missing: no limit.',
    ),
  ),
  max_processes: v.optional(
    integer(
      'Processes and threads of one job. When missing: systemd’s `DefaultTasksMax`. Without systemd it counts all of the user’s, and does not bind root.',
      1,
      4_194_304,
    ),
  ),
  max_open_files: v.optional(
    integer('Open files of each process of a job. When missing: the daemon’s limit.', 64, 1_073_741_816),
  ),
  max_cpu: v.optional(
    duration(
      'Processor time of each process of a job; a process that uses more is killed. Does not hold for persistent plugins. When missing: no limit.',
      1000,
    ),
  ),
  timeout: v.optional(duration('Timeout of jobs that set none and whose plugin sets none. When missing: no limit.')),
});

const history = section('How long things that are over are kept.', {
  keep: v.optional(integer('Ended jobs kept at most; as many service requests besides.', 0, 10_000_000), 1000),
  max_age: v.optional(duration('Ended jobs older than this are forgotten.'), '30d'),
  ids: v.optional(
    duration('How long a firing’s id is remembered, so that it never runs twice; an older firing is refused.'),
    '90d',
  ),
  firings_keep: v.optional(
    integer('Firings that are over, kept in etcd with their outcomes at most; the newest are.', 0, 10_000_000),
    // With a few targets each they fit an etcd with the smallest quota: the embedded one’s 512 MiB.
    10_000,
  ),
  requests_size: v.optional(size('Records of requests kept in etcd at most; the oldest go.'), '64MiB'),
  requests_max_age: v.optional(
    duration('Records of requests that ended longer ago than this are deleted from etcd.'),
    '7d',
  ),
  firings_max_age: v.optional(duration('Firings that ended longer ago than this are deleted from etcd.'), '30d'),
});

const registry = section('What brokers and control sockets take for the registry. Every broker counts for itself.', {
  max_changes: v.optional(
    integer('Changes that one user may make in a minute. Root on a node has no such limit.', 1, 10_000_000),
    600,
  ),
  max_change_bytes: v.optional(
    size('Bytes that the changes of one user may write into etcd in a minute. A quarter of it is for hits, besides.'),
    '4MiB',
  ),
  max_arguments: v.optional(size('Bytes of the arguments of one definition: names and values.'), '16KiB'),
  max_team: v.optional(
    size('Bytes that one team may keep in etcd: workers, services, directories, definitions and hits.'),
    '16MiB',
  ),
});

const sweeper = section('The one daemon of all that keeps etcd tidy: each stands for that office.', {
  enabled: v.optional(flag('Stand for it.'), true),
  interval: v.optional(duration('Between two rounds: how late an expiry may be recorded.', 10), '30s'),
  abandoned: v.optional(duration('A publication that has not gone on for this long is given up.', 10), '10m'),
  upkeep: v.optional(
    choice(
      ['auto', 'always', 'never'],
      'Compact and defragment etcd when half of its quota is in use, and disarm its NOSPACE alarm; `auto`: only while all keys of etcd are below `[etcd] prefix`.',
    ),
    'auto',
  ),
  compact_after: v.optional(
    duration('History that is younger is not compacted away; of an etcd that is nearly full one minute is kept.', 10),
    '10m',
  ),
});

const log = section('The daemon’s log on stderr.', {
  level: v.optional(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'Least severe level that is logged.'),
    'info',
  ),
  format: v.optional(
    choice(['auto', 'human', 'json'], 'JSON lines or text for people; `auto`: people on a terminal, else JSON.'),
    'auto',
  ),
});

const http = section(
  'Serves `/metrics` and `/v1/health` over HTTP, for reading only. Opened when this section is present.',
  {
    listen: v.optional(address('http-listen', 'host:port', 'Where to listen.'), '127.0.0.1:8080'),
  },
);

const isReportUrl = (url: string): boolean => /^https?:\/\/\S+$/.test(url) && url.includes('{hash}');

const puppetdb = section('PuppetDB, for links from `trigger why` to reports. Asked when this section is present.', {
  url: address('url', 'an address such as "https://puppetdb.example.com:8081"', 'Where PuppetDB’s query API is.'),
  ca_file: v.optional(absolutePath('CA certificate that PuppetDB’s certificate is checked against.')),
  cert_file: v.optional(absolutePath('Client certificate, this node’s of Puppet as a rule; with `key_file`.')),
  key_file: v.optional(absolutePath('Key of the client certificate.')),
  timeout: v.optional(duration('How long one question to PuppetDB may take.'), '3s'),
  report_url: v.optional(
    textLike(
      'an address with {hash} in it',
      isReportUrl,
      'A report’s page for people, as `https://puppetboard.example.com/report/{certname}/{hash}`. When missing: PuppetDB’s own.',
    ),
  ),
});

const broker = section('Makes this daemon a broker: clients and workers connect to it.', {
  listen: v.optional(
    address(
      'listen',
      'an address such as "tcp://0.0.0.0:5555"',
      'Where to listen: an address, a name or an interface of this machine. Port 0 is any free port. `[::]` takes IPv4 as well.',
    ),
    'tcp://0.0.0.0:5555',
  ),
  advertise: v.optional(
    address(
      'connect',
      'an address such as "tcp://host:5555"',
      'Where others reach it. When missing: `[node] name` and the port of `listen`.',
    ),
  ),
  max_message: v.optional(size('Largest payload of a request.'), '1MiB'),
  max_queued: v.optional(
    integer('Requests of one service that wait for a worker; more are refused.', 1, 10_000_000),
    10_000,
  ),
  max_requests: v.optional(
    integer(
      'Requests of one user, and of all users who come from one, that wait or run; more are refused. Four times as many of all who come from one team.',
      1,
      10_000_000,
    ),
    10_000,
  ),
  timeout: v.optional(duration('Timeout of requests that name none and whose service has none.'), '5m'),
  max_timeout: v.optional(
    duration('Longest timeout of a request; a longer one is shortened to it. At least `timeout`.'),
    '24h',
  ),
  heartbeat: v.optional(
    duration('Between two signs of life; a peer that is silent for four of them is gone.', 10),
    '2500ms',
  ),
});

/** Of sections that only later releases use: they are checked already, so that files that have them load. */
const later = 'Without effect in this release.';

const messages = section(`Durable messages. ${later}`, {
  directory: v.optional(
    absolutePath('Folder of `inmsg.txt`, `inmsg.rejected/` and the drop folder.'),
    '/var/lib/triggerd/messages',
  ),
  data: v.optional(absolutePath('The only place where messages may write files.'), '/var/lib/triggerd/data'),
  accept: v.optional(
    listOf(
      'rules such as "central:command.*", or "*"',
      isAcceptance,
      'Who may send what here, as `sender:method`; `*` is everything.',
    ),
    [],
  ),
  central: v.optional(nodeName('Node that gets errors.'), 'central'),
});

const main = section('triggerFS: who asks, and of which broker.', {
  team: v.optional(text('Team name for login.')),
  identity: v.optional(text('Identity for login.')),
  secret: v.optional(text('Password for login.', { secret: true })),
  jwt: v.optional(text('Token that replaces identity and secret.', { secret: true })),
  broker: v.optional(
    oneOrMoreAddresses(
      'connect',
      'addresses such as "tcp://host:5555"',
      'The broker; or a list of brokers, any of which may be away.',
    ),
  ),
  broker_key: v.optional(
    oneOrMore(
      'keys as `trigger broker key` prints them',
      isBrokerKey,
      'The broker’s public key; of several brokers a list in the same order.',
    ),
  ),
});

const triggerfs = section(
  'The trigger files: `triggerfs` mounts them, and so does triggerd when `mountpoint` is set.',
  {
    mountpoint: v.optional(anyPath('Folder to mount at; relative to the working folder.')),
    logfile: v.optional(anyPath('Gets a copy of what `triggerfs` prints; relative to the working folder.')),
    allow_other: v.optional(
      flag(
        'Let other users in than the one that mounts, as modes and owners say. When missing: if root mounts. Others than root need `user_allow_other` in /etc/fuse.conf.',
      ),
    ),
    deadline: v.optional(
      duration(
        'How long a message of an asynchronous trigger is tried that has no deadline of its own; what is not delivered then is a dead letter.',
      ),
      '1d',
    ),
    max_spooled: v.optional(
      size(
        'Bytes that messages may take, each with 128 more than it has: where what waits to be delivered takes them all, writes are refused with ENOSPC; dead letters make room for it, the oldest first.',
      ),
      '256MiB',
    ),
  },
);

const triggerfsClient = section('triggerFS: `triggerfs-client`.', {
  logfile: v.optional(anyPath('Log file; relative to the working folder.')),
});

const worker = section('A worker’s credentials.', {
  token: text('The worker’s token, as the console shows it.', { secret: true }),
});

const workers = v.pipe(
  v.objectWithRest(
    {
      pluginspath: v.optional(anyPath('Folder of the workers’ plugins. When missing: `[plugins] path`.')),
      allow: v.optional(
        listOf(
          'plugin names',
          isPluginName,
          'Plugins that a request may start here. When missing: all of `pluginspath` where that is set, else only `echo`, `echo/fast` and `monitor`.',
        ),
      ),
      broker: v.optional(
        oneOrMoreAddresses(
          'connect',
          'addresses such as "tcp://host:5555"',
          'The workers’ broker; or a list of brokers. When missing: `[main] broker` and its keys.',
        ),
      ),
      broker_key: v.optional(
        oneOrMore(
          'keys as `trigger broker key` prints them',
          isBrokerKey,
          'The public key of the workers’ broker; of several brokers a list in the same order.',
        ),
      ),
    },
    v.pipe(
      v.record(v.string(), worker, sectionMessage),
      v.description('A team’s workers.'),
      v.metadata({ names: 'IDENTITY' }),
    ),
    sectionMessage,
  ),
  v.description('triggerFS: the workers that run on this machine.'),
  v.metadata({ names: 'TEAM' }),
);

export const configSchema = v.object(
  {
    node: v.optional(node, {}),
    etcd: v.optional(etcd, {}),
    watch: v.optional(watch, {}),
    queues: v.optional(queues, {}),
    plugins: v.optional(plugins, {}),
    jobs: v.optional(jobs, {}),
    history: v.optional(history, {}),
    registry: v.optional(registry, {}),
    sweeper: v.optional(sweeper, {}),
    puppetdb: v.optional(puppetdb),
    log: v.optional(log, {}),
    http: v.optional(http),
    broker: v.optional(broker),
    messages: v.optional(messages, {}),
    main: v.optional(main, {}),
    triggerfs: v.optional(triggerfs, {}),
    'triggerfs-client': v.optional(triggerfsClient, {}),
    'triggerfs-cli': v.optional(section('triggerFS: `triggerfs-cli`; has no keys.', {}), {}),
    workers: v.optional(workers, {}),
  },
  sectionMessage,
);

/** The whole configuration: checked, defaults filled in, frozen. */
export type Config = DeepReadonly<v.InferOutput<typeof configSchema>>;

type DeepReadonly<T> = T extends readonly string[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
