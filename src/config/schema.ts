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
  name: v.optional(nodeName('Name of this node. Default: Puppet’s certname if Puppet is installed, else the FQDN.')),
  state_dir: v.optional(
    absolutePath('Folder of the journal and of the jobs’ files. Only one daemon may use it.'),
    '/var/lib/triggerd',
  ),
  spool: v.optional(absolutePath('Folder of firings that etcd does not have yet. Default: `spool` below `state_dir`.')),
  socket: v.optional(socketPath('Control socket, through which `trigger` reaches the daemon.'), defaultSocketPath),
  takeover: v.optional(
    choice(
      ['auto', 'adopt'],
      'When another machine may take this node’s name. `auto`: 10 to 14 minutes after the end of this daemon. `adopt`: only after `trigger node adopt NAME`.',
    ),
    'auto',
  ),
});

const etcd = section('The etcd that carries firings and outcomes.', {
  endpoints: v.optional(
    addresses('url', 'addresses such as "http://127.0.0.1:2379"', 'Client URLs of the cluster’s members.'),
    ['http://127.0.0.1:2379'],
  ),
  prefix: v.optional(
    textLike('a key prefix such as "/trigger"', isPrefix, 'All keys are below this prefix.'),
    '/trigger',
  ),
  embedded: v.optional(
    flag(
      'Start and supervise an etcd on this machine, with its data in `state_dir`. It accepts only TLS with its own certificates.',
    ),
    false,
  ),
  embedded_port: v.optional(
    integer('Client port of the embedded etcd, on 127.0.0.1. Default: the port of the first endpoint.', 1, 65_535),
  ),
  ca_file: v.optional(absolutePath('CA certificate that verifies the certificates of the endpoints.')),
  cert_file: v.optional(absolutePath('Client certificate; with `key_file`.')),
  key_file: v.optional(absolutePath('Key of the client certificate.')),
  username: v.optional(text('etcd user; with `password_file`.')),
  password_file: v.optional(absolutePath('File with the user’s password, readable only by the daemon.')),
  quota: v.optional(
    size(
      'Maximum size of etcd: its `--quota-backend-bytes`. Default: the value in etcd’s `/metrics`, else 2GiB; 512MiB for the embedded etcd.',
    ),
  ),
  request_timeout: v.optional(duration('Timeout of one request to etcd.'), '5s'),
});

export const defaultRunCommand = 'puppet agent --test';

const watch = section('The watcher of this node’s inbox.', {
  enabled: v.optional(flag('Watch this node’s inbox and run the firings in it.'), true),
  run_cmd: v.optional(
    commandLine('Command line for firings that name no plugin; no shell reads it.'),
    defaultRunCommand,
  ),
  allow: v.optional(listOf('plugin names', isPluginName, 'Plugins that a firing may start on this node.'), ['puppet']),
});

const queue = (slots: number) =>
  section('A queue of jobs. `default` and `requests` always exist.', {
    slots: v.optional(
      integer(
        'Maximum number of jobs of this queue that run at the same time; 4 in the queue `requests`.',
        1,
        maxSlots,
      ),
      slots,
    ),
    max_queued: v.optional(integer('Maximum number of queued jobs; further jobs are refused.', 1, 10_000_000), 100_000),
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

const jobs = section('Settings for every job.', {
  grace: v.optional(duration('Time between TERM and KILL when a job is killed or times out.', 0), '10s'),
  max_output: v.optional(
    size('Bytes of output kept for each job. Further output is counted, and its last part kept.'),
    '64MiB',
  ),
  max_attempts: v.optional(
    integer('Maximum number of starts of one job whose plugin is rerun after an interruption.', 1, 100),
    3,
  ),
  max_memory: v.optional(
    size(
      'Memory of one job; the kernel kills a job that exceeds it. Under systemd the limit covers the whole job, otherwise each process. Default: no limit.',
    ),
  ),
  max_processes: v.optional(
    integer(
      'Processes and threads of one job. Default: systemd’s `DefaultTasksMax`. Without systemd the limit counts all processes of the user, and does not bind root.',
      1,
      4_194_304,
    ),
  ),
  max_open_files: v.optional(
    integer('Open files of each process of a job. Default: the daemon’s limit.', 64, 1_073_741_816),
  ),
  max_cpu: v.optional(
    duration(
      'Processor time of each process of a job; a process that uses more is killed. It does not apply to persistent plugins. Default: no limit.',
      1000,
    ),
  ),
  timeout: v.optional(duration('Timeout of jobs that set none and whose plugin sets none. Default: no limit.')),
});

const history = section('How long finished jobs, firings and requests are kept.', {
  keep: v.optional(
    integer('Maximum number of ended jobs kept; the same number of service requests in addition.', 0, 10_000_000),
    1000,
  ),
  max_age: v.optional(duration('Ended jobs that are older are deleted.'), '30d'),
  ids: v.optional(
    duration('How long a firing’s ID is remembered, so that it never runs twice; an older firing is refused.'),
    '90d',
  ),
  firings_keep: v.optional(
    integer(
      'Maximum number of finished firings kept in etcd, with their outcomes; the oldest are deleted first.',
      0,
      10_000_000,
    ),
    // With a few targets each they fit an etcd with the smallest quota: the embedded one’s 512 MiB.
    10_000,
  ),
  requests_size: v.optional(
    size('Maximum size of the records of requests in etcd; the oldest are deleted first.'),
    '64MiB',
  ),
  requests_max_age: v.optional(
    duration('Records of requests that ended longer ago than this are deleted from etcd.'),
    '7d',
  ),
  firings_max_age: v.optional(duration('Firings that ended longer ago than this are deleted from etcd.'), '30d'),
});

const registry = section('Limits of registry changes by brokers and control sockets. Every broker counts for itself.', {
  max_changes: v.optional(
    integer('Changes that one user may make in a minute. Root on a node has no such limit.', 1, 10_000_000),
    600,
  ),
  max_change_bytes: v.optional(
    size(
      'Bytes that the changes of one user may write into etcd in a minute. A quarter of it is allowed for hits in addition.',
    ),
    '4MiB',
  ),
  max_arguments: v.optional(size('Maximum size of the arguments of one definition: names and values.'), '16KiB'),
  max_team: v.optional(
    size('Maximum size of a team in etcd: workers, services, directories, definitions and hits.'),
    '16MiB',
  ),
});

const sweeper = section('Cleans up etcd. One elected daemon does it.', {
  enabled: v.optional(flag('Let this daemon be elected.'), true),
  interval: v.optional(duration('Time between two rounds, and so the maximum delay of a recorded expiry.', 10), '30s'),
  abandoned: v.optional(
    duration('Time after which an unfinished publication counts as abandoned and is deleted.', 10),
    '10m',
  ),
  upkeep: v.optional(
    choice(
      ['auto', 'always', 'never'],
      'Compact and defragment etcd when half of its quota is in use, and disarm its NOSPACE alarm; `auto`: only while all keys of etcd are below `[etcd] prefix`.',
    ),
    'auto',
  ),
  compact_after: v.optional(
    duration('Minimum age of history that is compacted; one minute if etcd is nearly full.', 10),
    '10m',
  ),
});

const log = section('The daemon’s log on stderr.', {
  level: v.optional(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'Minimum level of logged messages.'),
    'info',
  ),
  format: v.optional(
    choice(['auto', 'human', 'json'], 'JSON lines, or text for people; `auto`: text on a terminal, else JSON.'),
    'auto',
  ),
});

const http = section('Serves `/metrics` and `/v1/health` over HTTP, read only, if this section is present.', {
  listen: v.optional(address('http-listen', 'host:port', 'Where to listen.'), '127.0.0.1:8080'),
});

const isReportUrl = (url: string): boolean => /^https?:\/\/\S+$/.test(url) && url.includes('{hash}');

const puppetdb = section('PuppetDB, for links from `trigger why` to reports; used if this section is present.', {
  url: address('url', 'an address such as "https://puppetdb.example.com:8081"', 'Address of PuppetDB’s query API.'),
  ca_file: v.optional(absolutePath('CA certificate that verifies PuppetDB’s certificate.')),
  cert_file: v.optional(
    absolutePath('Client certificate, usually this node’s certificate of Puppet; with `key_file`.'),
  ),
  key_file: v.optional(absolutePath('Key of the client certificate.')),
  timeout: v.optional(duration('Timeout of one query to PuppetDB.'), '3s'),
  report_url: v.optional(
    textLike(
      'an address with {hash} in it',
      isReportUrl,
      'Page of a report for people, such as `https://puppetboard.example.com/report/{certname}/{hash}`. Default: PuppetDB’s own.',
    ),
  ),
});

const broker = section('Makes this daemon a broker: clients and workers connect to it.', {
  listen: v.optional(
    address(
      'listen',
      'an address such as "tcp://0.0.0.0:5555"',
      'Where to listen: an address, a name or an interface of this machine. Port 0 is any free port. `[::]` accepts IPv4 as well.',
    ),
    'tcp://0.0.0.0:5555',
  ),
  advertise: v.optional(
    address(
      'connect',
      'an address such as "tcp://host:5555"',
      'Address for clients and workers. Default: `[node] name` and the port of `listen`.',
    ),
  ),
  max_message: v.optional(size('Maximum payload of a request.'), '1MiB'),
  max_queued: v.optional(
    integer(
      'Maximum number of requests of one service that wait for a worker; further ones are refused.',
      1,
      10_000_000,
    ),
    10_000,
  ),
  max_requests: v.optional(
    integer(
      'Maximum number of waiting and running requests of one user, and of all users who come from one; further ones are refused. Four times as many for all users who come from one team.',
      1,
      10_000_000,
    ),
    10_000,
  ),
  timeout: v.optional(duration('Timeout of requests that set none and whose service sets none.'), '5m'),
  max_timeout: v.optional(
    duration('Maximum timeout of a request; longer ones are shortened to it. At least `timeout`.'),
    '24h',
  ),
  heartbeat: v.optional(
    duration('Time between two heartbeats; a peer that misses four of them is lost.', 10),
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
  data: v.optional(absolutePath('The only folder in which messages may write files.'), '/var/lib/triggerd/data'),
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

const main = section('triggerFS: the user and the broker of clients on this machine.', {
  team: v.optional(text('Team name for login.')),
  identity: v.optional(text('Identity for login.')),
  secret: v.optional(text('Password for login.', { secret: true })),
  jwt: v.optional(text('Token that replaces identity and secret.', { secret: true })),
  broker: v.optional(
    oneOrMoreAddresses(
      'connect',
      'addresses such as "tcp://host:5555"',
      'The broker, or a list of brokers of which any may be away.',
    ),
  ),
  broker_key: v.optional(
    oneOrMore(
      'keys as `trigger broker key` prints them',
      isBrokerKey,
      'The broker’s public key; for several brokers a list in the same order.',
    ),
  ),
});

const triggerfs = section('Trigger files. `triggerfs` mounts them, and so does triggerd if `mountpoint` is set.', {
  mountpoint: v.optional(anyPath('Folder to mount at; relative to the working folder.')),
  logfile: v.optional(anyPath('File that gets a copy of what `triggerfs` prints; relative to the working folder.')),
  allow_other: v.optional(
    flag(
      'Let other users than the one that mounts use the files, by mode and owner. Default: true if root mounts. Other users need `user_allow_other` in /etc/fuse.conf to set it.',
    ),
  ),
  deadline: v.optional(
    duration(
      'How long to retry an asynchronous message whose trigger sets no deadline. A message that is not delivered then becomes a dead letter.',
    ),
    '1d',
  ),
  max_spooled: v.optional(
    size(
      'Space for stored messages, counting 128 bytes of overhead each. Dead letters make room for waiting messages, the oldest first; if waiting messages take all of it, writes fail with ENOSPC.',
    ),
    '256MiB',
  ),
});

const triggerfsClient = section('triggerFS: `triggerfs-client`.', {
  logfile: v.optional(anyPath('Log file; relative to the working folder.')),
});

const worker = section('A worker’s credentials.', {
  token: text('The worker’s token, as the console shows it.', { secret: true }),
});

const workers = v.pipe(
  v.objectWithRest(
    {
      pluginspath: v.optional(anyPath('Folder of the workers’ plugins. Default: `[plugins] path`.')),
      allow: v.optional(
        listOf(
          'plugin names',
          isPluginName,
          'Plugins that a request may start here. Default: all of `pluginspath` if that is set, else only `echo`, `echo/fast` and `monitor`.',
        ),
      ),
      broker: v.optional(
        oneOrMoreAddresses(
          'connect',
          'addresses such as "tcp://host:5555"',
          'The broker of the workers, or a list of brokers. Default: `[main] broker` and its keys.',
        ),
      ),
      broker_key: v.optional(
        oneOrMore(
          'keys as `trigger broker key` prints them',
          isBrokerKey,
          'The public key of the workers’ broker; for several brokers a list in the same order.',
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
