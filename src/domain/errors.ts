/**
 * The error catalogue: every failure that a user can meet, in one place.
 *
 * A code is a promise (scripts match on it), the summary and the remedy make `docs/reference/errors.md`, `exit` is the exit
 * code of the command line, `http` the status on the control API. A failed *job* is not an error: it is a `JobResult`.
 */

/** One row of the catalogue. `retryable` says whether the same call may succeed later without a change by a person. */
export interface CatalogueEntry {
  readonly summary: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3 | 4 | 5;
  readonly http: 400 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503 | 504;
  readonly retryable: boolean;
}

/** Makes the entries of one HTTP status and exit code. */
const category =
  (http: CatalogueEntry['http'], exit: CatalogueEntry['exit'], retryable = false) =>
  (summary: string, remedy: string): CatalogueEntry => ({ summary, remedy, exit, http, retryable });

const badInput = category(400, 2);
const forbidden = category(403, 1);
const notFound = category(404, 1);
const conflict = category(409, 1);
const malformed = category(422, 1);
const failure = category(500, 1);
const busy = category(503, 1, true);
const unreachable = category(503, 3, true);

export const errorCatalogue = {
  // configuration
  'config-not-found': badInput(
    'The configuration file does not exist.',
    'Create /etc/triggerd/triggerd.toml, or name another file with --config or $TRIGGERD_CONFIG.',
  ),
  'config-unreadable': badInput('The configuration file cannot be read.', 'Check the file’s owner and mode.'),
  'config-syntax': badInput(
    'The configuration is not valid TOML.',
    'Correct the file at the line and column in the message.',
  ),
  'config-invalid': badInput(
    'The configuration has an unknown key or a value of the wrong kind.',
    'Correct the keys in the message. `trigger config check` shows all of them.',
  ),
  usage: badInput('The command line is not valid.', 'Run the command with --help.'),
  'text-not-utf8': badInput(
    'An argument, the working folder, a variable or a text is not UTF-8, so triggerd cannot keep its bytes.',
    'Use a name in UTF-8: rename the file, make a symbolic link, or put the other name into a script.',
  ),
  // store (etcd)
  'etcd-unreachable': unreachable(
    'No etcd endpoint answered in time.',
    'Check [etcd] endpoints, and check that etcd runs. Owed work waits and is not lost.',
  ),
  'etcd-wants-tls': unreachable(
    'etcd uses TLS, but its endpoint begins with http://.',
    'Write https:// in [etcd] endpoints, and set [etcd] ca_file to the CA of etcd.',
  ),
  'etcd-wants-http': unreachable(
    'etcd does not use TLS, but its endpoint begins with https://.',
    'Set up TLS in etcd (docs/how-to/etcd.md), or write http:// in [etcd] endpoints.',
  ),
  'etcd-certificate': unreachable(
    'triggerd does not accept the certificate of etcd.',
    'Check its expiry, this node’s clock, that it names the host in [etcd] endpoints, and that [etcd] ca_file is its CA.',
  ),
  'etcd-client-certificate': unreachable(
    'etcd does not accept the client certificate, or requires one.',
    'Set [etcd] cert_file to a valid certificate from the CA of etcd, and key_file to its key.',
  ),
  'etcd-refused': category(503, 3)(
    'etcd refused the request.',
    'Check the user, password, certificates and permissions for etcd.',
  ),
  'etcd-open': category(503, 3)(
    'etcd answers without credentials.',
    'Make etcd require client certificates, or users over TLS: docs/how-to/etcd.md, “An open etcd”.',
  ),
  'etcd-no-space': unreachable(
    'etcd is out of space (NOSPACE alarm).',
    'With [sweeper] upkeep, the sweeper frees space within minutes. Otherwise compact and defragment etcd, then disarm the alarm: docs/how-to/etcd.md.',
  ),
  'etcd-embedded-failed': unreachable(
    'The embedded etcd does not start.',
    'Read the end of etcd’s log in the message. Install etcd-server if it is missing. If the port is in use, set another [etcd] embedded_port.',
  ),
  // journal and state
  'state-unusable': failure(
    'The state directory cannot be used.',
    'Check [node] state_dir: existence, owner, mode, free space. Only root and the daemon’s user may own or change the folders above.',
  ),
  'spool-unusable': busy(
    'The spool cannot be used.',
    'Check [node] spool: a folder (no symbolic link) of the daemon’s user with mode 0700, and free space. Only root and the daemon’s user may own or change the folders above.',
  ),
  'already-running': conflict(
    'Another triggerd uses this state directory.',
    'Stop the other daemon, or give this one its own [node] state_dir and socket.',
  ),
  'journal-failed': busy(
    'The journal refused a write.',
    'Check the file system of [node] state_dir: free space and disk errors.',
  ),
  'journal-newer': failure('The journal was written by a newer triggerd.', 'Run that version or a newer one.'),
  // queue
  'job-not-found': notFound(
    'No job has this ID.',
    '`trigger queue --all` lists the jobs. [history] limits how many finished jobs are kept.',
  ),
  'job-state': conflict('The state of the job does not allow this.', 'Look at the state: `trigger queue info ID`.'),
  'queue-not-found': notFound(
    'No queue has this name.',
    'Use the name of a [queues.NAME] section of the configuration, or add one.',
  ),
  'queue-full': busy('The queue is full.', 'Wait until jobs have finished, or raise [queues.NAME] max_queued.'),
  draining: busy('The daemon is stopping and accepts no new jobs.', 'Try again after the restart.'),
  'input-invalid': badInput('The request is not valid.', 'Correct the fields in the message.'),
  // plugins
  'plugin-not-found': notFound(
    'No plugin has this name.',
    'Choose one from `trigger plugin list`, or install it below [plugins] path.',
  ),
  'plugin-name-invalid': badInput(
    'The plugin name is not valid.',
    'Use segments of letters, digits, “_”, “.” and “-”, joined by “/”; no “..” and no leading “/”.',
  ),
  'plugin-unsafe': forbidden(
    'Other users can change the plugin, or it is outside the plugins folder, or it is not executable.',
    'Make root (or the daemon’s user) own the file and its folder, deny others to write, and make the file executable.',
  ),
  'puppet-unsafe': forbidden(
    'Other users can change a program in [watch] run_cmd, so triggerd does not run it to read Puppet’s settings.',
    'Make root own the program and each folder above it, and deny others to write. Or run the program as its owner (sudo -u USER).',
  ),
  'puppet-silent': busy(
    'Puppet did not print where it keeps its locks and reports.',
    'Run the command in the message as the user in the message, and correct what Puppet reports.',
  ),
  'puppet-file-unsafe': forbidden(
    'triggerd does not trust a lock, summary or report of Puppet.',
    'Find out who wrote the file, then delete it. The next Puppet run writes a new one.',
  ),
  'plugin-manifest': malformed('The plugin’s plugin.toml is not valid.', 'Correct the keys in the message.'),
  'plugin-arguments': malformed(
    'The plugin does not accept these arguments.',
    '`trigger plugin info NAME` shows its arguments.',
  ),
  'plugin-exists': conflict(
    'A plugin or another file has this name already.',
    'Choose another name, or another plugins folder with --dir.',
  ),
  'plugin-not-made': failure(
    'The folder of the plugin could not be created.',
    'Name a plugins folder that you can write to with --dir, or run the command as root.',
  ),
  'plugin-not-allowed': forbidden(
    'This plugin is not allowed here.',
    'To allow it, add its name on that machine: to [watch] allow for firings, to [workers] allow for requests.',
  ),
  // firings
  'firing-not-found': notFound('No firing has this ID.', '`trigger status` lists the recent firings.'),
  'firing-ambiguous': category(409, 2)(
    'More than one firing ID starts with this.',
    'Type more of the ID. `trigger status` shows whole IDs.',
  ),
  'firing-malformed': malformed(
    'The firing in etcd is not in a format that this version knows.',
    'Upgrade triggerd if the format is newer. Otherwise look at the key in the message.',
  ),
  'node-name-invalid': badInput(
    'The node name is not valid.',
    'Use lower-case labels of letters, digits, “-” and “_”, joined by dots; at most 253 characters.',
  ),
  'trigger-name-invalid': badInput(
    'The trigger name is not valid.',
    'Use 1 to 255 characters, and no control characters.',
  ),
  'node-not-found': notFound('No node has this name.', '`trigger nodes` lists all known nodes.'),
  'why-unknown': notFound(
    'No firing, job, node or trigger has this name.',
    'Use the ID of a firing or its first 6 characters, a job ID of this node, a node’s name, or the name of a trigger that fired recently.',
  ),
  'node-name-taken': category(
    409,
    1,
    true,
  )(
    'Another daemon has this node’s name.',
    'Give each machine its own [node] name, or stop the other daemon. `trigger nodes` and `trigger doctor` show both.',
  ),
  'node-present': conflict(
    'The daemon of this node runs.',
    'Stop the daemon first, or use `trigger node forget --force`. The results of jobs still running there are then lost.',
  ),
  'remote-failed': category(500, 4)(
    'At least one target did not succeed.',
    '`trigger status FIRING` shows result, exit code and reason of each node.',
  ),
  'timed-out': category(504, 5)(
    'The timeout ended before the work did.',
    'The work continues. Look later with `trigger status` or `trigger queue`.',
  ),
  // registry
  'registry-invalid': badInput(
    'The registry does not accept this.',
    'Correct the value in the message. Use only letters, digits, “_”, “.” and “-” in names.',
  ),
  'registry-empty': conflict(
    'The registry has no teams and users yet.',
    'Create the first team and its admin: `trigger admin init --team TEAM --identity USER`.',
  ),
  'trigger-file-not-found': notFound(
    'Nothing was written to a trigger file of this name on this node.',
    '`trigger queue --files` lists the trigger files that were written to.',
  ),
  'registry-not-found': notFound('Nothing in the registry has this name.', 'Choose a name that `… show` lists.'),
  'registry-exists': conflict(
    'This name exists in the registry already.',
    'Choose another name, or change the existing entry.',
  ),
  'registry-in-use': conflict(
    'Another entry of the registry needs this one.',
    'First detach or delete the entries in the message.',
  ),
  'registry-full': forbidden(
    'You (with the users that you made) or your team reached the limit for these entries.',
    'Delete entries that nobody needs, or ask root on a node to create this one: root has no limit.',
  ),
  'registry-changed': category(409, 1, true)('Other users kept changing the same entry.', 'Try again.'),
  'too-many-changes': category(
    429,
    1,
    true,
  )(
    'You have reached the limit of registry changes in a minute.',
    'Wait for the time in the message. [registry] max_changes and max_change_bytes of the brokers are the limits. `trigger` as root on a node has none.',
  ),
  'team-full': conflict(
    'The team has used all its space in the registry.',
    'Delete entries of the team, shorten arguments and descriptions, or raise [registry] max_team.',
  ),
  'etcd-nearly-full': unreachable(
    'etcd is nearly full. The registry accepts no additions, so that firings still have space.',
    'Delete entries, or free space in etcd: docs/how-to/etcd.md. `trigger doctor` shows size and quota.',
  ),
  'registry-denied': forbidden('You do not have permission to do this.', 'Ask an admin of the team, or the owner.'),
  'statement-invalid': category(400, 1)(
    'The console does not understand this statement.',
    'Correct the part that the message marks. `help` shows all statements.',
  ),
  'team-missing': badInput(
    'No team is named, and more than one is possible.',
    'Name a team with --team, or set [main] team.',
  ),
  // authentication
  'login-failed': forbidden('Wrong team, identity or password.', 'Check [main] team, identity and secret.'),
  'too-many-attempts': category(429, 1, true)('Too many failed attempts.', 'Wait for the time in the message.'),
  'token-invalid': forbidden(
    'The token is wrong or has expired.',
    'Log in again. Replace the token if it comes from [main] jwt.',
  ),
  'worker-refused': forbidden(
    'The broker refused this worker.',
    'Check the token in [workers.TEAM.IDENTITY]; `trigger worker rotate` replaces a lost token. Run only one worker of each identity.',
  ),
  // services
  'broker-missing': badInput(
    'No broker is configured.',
    'Set broker and broker_key in [main], or for workers in [workers]. `trigger broker key` on the broker prints the key.',
  ),
  'broker-unreachable': unreachable(
    'No broker answered.',
    'Check [main] broker and broker_key, and check that triggerd with a [broker] section runs there.',
  ),
  'broker-unusable': failure(
    'The broker cannot listen.',
    'Set another [broker] listen, or stop the program that uses the address.',
  ),
  'broker-busy': busy(
    'The broker has reached its limit of requests for this service, user or team.',
    'Try again later, or raise [broker] max_queued or max_requests. `trigger request list` on the broker shows the requests.',
  ),
  'bus-protocol': category(400, 1)(
    'A message on the bus is not valid.',
    'Use the same version of triggerd on both sides.',
  ),
  'service-not-found': notFound(
    'You have no service of this name.',
    'Check the name. Write `team/service` for a public service of another team.',
  ),
  'no-worker': unreachable(
    'The service has no connected worker.',
    'Start a worker that is attached to the service: `triggerfs-worker -identity NAME`.',
  ),
  'worker-lost': category(503, 1)(
    'The broker lost the worker. The request may have run.',
    'Check the worker. With `retry = always` of the service, another worker gets the request.',
  ),
  'worker-only': conflict(
    'This daemon is only a worker: without etcd it has no firings and no nodes.',
    'Use the triggerd of a node: leave out --socket, or name its socket.',
  ),
  'request-invalid': badInput('The request is not valid.', 'Correct the fields in the message.'),
  'proof-missing': forbidden(
    'The job has no proof of its user, so it cannot send requests.',
    'Upgrade and restart the worker and its broker: old versions make no proofs. To send requests with the rights of the machine, set `acts_as = "machine"` in plugin.toml.',
  ),
  'proof-invalid': forbidden(
    'The proof of the job’s user is wrong or has expired.',
    'Send the request again: a proof ends with its request. Check that the clocks of the brokers agree.',
  ),
  'proof-unsupported': conflict(
    'The broker is too old to check the proof of the job’s user.',
    'Upgrade the brokers in [main] broker of the worker’s machine.',
  ),
  'request-too-large': category(413, 1)(
    'The request’s payload is too large.',
    'Send less, or raise [broker] max_message.',
  ),
  'request-not-found': notFound(
    'No request with this ID waits or runs.',
    '`trigger request list` on the broker lists open requests, `trigger history` ended ones.',
  ),
  // trigger files
  'mount-failed': failure(
    'The trigger files cannot be mounted.',
    'Name an empty folder that is no mount point. Install the Debian packages `libfuse2` and `fuse3` (or `fuse`).',
  ),
  // control socket
  'daemon-unreachable': unreachable(
    'triggerd does not answer on its control socket.',
    'Start triggerd (`systemctl start triggerd`), or name its socket with --socket. Only root and the group of the socket can use it.',
  ),
  'daemon-silent': category(
    504,
    3,
    true,
  )(
    'triggerd accepted the request but does not answer.',
    'Read its log (`journalctl -u triggerd`): the process may be stopped, or a disk may not answer. triggerd may still do the request.',
  ),
  'daemon-answer': category(500, 3)(
    'The answer of the daemon is not valid.',
    'Use the same version of `trigger` and triggerd.',
  ),
  'http-unusable': failure(
    'The HTTP port cannot be opened.',
    'Set another [http] listen, or stop the program that uses the port. Without [http], triggerd opens no port.',
  ),
  'events-dropped': category(503, 1)(
    'The events came faster than they were read.',
    'Select fewer events (--kind, --node, --trigger, --stage), or read them faster.',
  ),
  'too-many-followers': category(503, 1)(
    'Too many clients follow this daemon’s events.',
    'Stop some clients, or read events from time to time with `trigger events --since`.',
  ),
  'output-failed': failure(
    'The output of a command could not be written.',
    'Check the disk and the file of the output. The request is cancelled; jobs and firings continue.',
  ),
  'folder-gone': badInput(
    'The working folder of the command does not exist.',
    'Change to a folder that exists: `cd /`.',
  ),
  // bugs
  internal: failure('A bug in triggerd.', 'Report this bug with the log lines around it.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** Small facts about the failure for logs and `--json`; never secrets, payloads or environments. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/**
 * The only error class that crosses a room's border. The message says what failed and where; what to do comes from the
 * catalogue. Foreign errors are cast at the border and kept in `cause`.
 */
export class TriggerdError extends Error {
  override readonly name = 'TriggerdError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable;
  }

  get remedy(): string {
    return errorCatalogue[this.code].remedy;
  }
}

export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorCatalogue, value);

/** Anything thrown → a `TriggerdError`; what is not one of ours is a bug and says so. */
export const asTriggerdError = (thrown: unknown): TriggerdError =>
  thrown instanceof TriggerdError
    ? thrown
    : isFolderGone(thrown)
      ? new TriggerdError('folder-gone', 'the working folder was removed', { cause: thrown })
      : new TriggerdError('internal', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });

/** Node asks for the working folder also where a path is made absolute. */
const isFolderGone = (thrown: unknown): boolean =>
  thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'uv_cwd';
