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

const entry = (
  http: CatalogueEntry['http'],
  exit: CatalogueEntry['exit'],
  summary: string,
  remedy: string,
  retryable = false,
): CatalogueEntry => ({ summary, remedy, exit, http, retryable });

export const errorCatalogue = {
  // configuration
  'config-not-found': entry(
    400,
    2,
    'The configuration file does not exist.',
    'Name it with --config or $TRIGGERD_CONFIG, or create /etc/triggerd/triggerd.toml.',
  ),
  'config-unreadable': entry(400, 2, 'The configuration file cannot be read.', 'Check the file’s owner and mode.'),
  'config-syntax': entry(
    400,
    2,
    'The configuration is not valid TOML.',
    'Correct the line and column that the message names.',
  ),
  'config-invalid': entry(
    400,
    2,
    'The configuration has an unknown key or a value of the wrong kind.',
    'Correct the keys that the message names; `trigger config check` shows all of them.',
  ),
  usage: entry(400, 2, 'The command line was not understood.', 'See --help of the command.'),
  'text-not-utf8': entry(
    400,
    2,
    'An argument, the working folder, a variable or a text is not UTF-8, and would not be kept byte for byte.',
    'Use a name that is UTF-8: rename the file, make a symbolic link, or let a script have the other name in itself.',
  ),
  // store (etcd)
  'etcd-unreachable': entry(
    503,
    3,
    'No etcd endpoint answered in time.',
    'Check [etcd] endpoints and that etcd runs; nothing owed is lost meanwhile.',
    true,
  ),
  'etcd-wants-tls': entry(
    503,
    3,
    'etcd speaks TLS, and its endpoint begins with http://.',
    'Write https:// in [etcd] endpoints, and name etcd’s CA in [etcd] ca_file.',
    true,
  ),
  'etcd-wants-http': entry(
    503,
    3,
    'etcd speaks no TLS, and its endpoint begins with https://.',
    'Write http:// in [etcd] endpoints, or better: give etcd TLS (docs/how-to/etcd.md).',
    true,
  ),
  'etcd-certificate': entry(
    503,
    3,
    'etcd’s certificate is not accepted.',
    'Renew it if it has expired, issue it for the name or address in [etcd] endpoints, name its CA in [etcd] ca_file; check this node’s clock.',
    true,
  ),
  'etcd-client-certificate': entry(
    503,
    3,
    'etcd does not accept the client certificate, or misses one.',
    'Name a certificate that etcd’s CA has issued, and that has not expired, in [etcd] cert_file, and its key in key_file.',
    true,
  ),
  'etcd-refused': entry(
    503,
    3,
    'etcd refused the request.',
    'Check etcd’s user, password, certificates and permissions.',
  ),
  'etcd-open': entry(
    503,
    3,
    'etcd answers without credentials.',
    'Make etcd ask for client certificates, or for users over TLS: docs/how-to/etcd.md, “An open etcd”.',
  ),
  'etcd-no-space': entry(
    503,
    3,
    'etcd is out of space (NOSPACE alarm).',
    'The sweeper makes room within minutes where [sweeper] upkeep lets it. Else compact and defragment etcd, then disarm the alarm: docs/how-to/etcd.md.',
    true,
  ),
  'etcd-embedded-failed': entry(
    503,
    3,
    'The embedded etcd does not start.',
    'Install etcd-server, free the port or set another [etcd] embedded_port, and read the end of etcd’s log in the message.',
    true,
  ),
  // journal and state
  'state-unusable': entry(
    500,
    1,
    'The state directory cannot be used.',
    'Check [node] state_dir: existence, owner, mode, free space. Only root and the daemon’s user may own or change the folders above.',
  ),
  'spool-unusable': entry(
    503,
    1,
    'The spool cannot be used.',
    'Check [node] spool: a folder (no symbolic link) of the daemon’s user with mode 0700, and free space. Only root and the daemon’s user may own or change the folders above.',
    true,
  ),
  'already-running': entry(
    409,
    1,
    'Another triggerd uses this state directory.',
    'Stop the other daemon, or give this one its own [node] state_dir and socket.',
  ),
  'journal-failed': entry(
    503,
    1,
    'The journal refused a write.',
    'Check free space and health of the file system below [node] state_dir.',
    true,
  ),
  'journal-newer': entry(500, 1, 'The journal was written by a newer triggerd.', 'Run that version or a newer one.'),
  // queue
  'job-not-found': entry(
    404,
    1,
    'There is no job with this id.',
    '`trigger queue --all` lists the jobs; finished ones are kept as [history] says.',
  ),
  'job-state': entry(409, 1, 'The job is not in a state that allows this.', '`trigger queue info ID` shows its state.'),
  'queue-not-found': entry(
    404,
    1,
    'There is no queue with this name.',
    'Queues are the [queues.NAME] sections of the configuration.',
  ),
  'queue-full': entry(
    503,
    1,
    'The queue holds as many jobs as it may.',
    'Wait until jobs have finished, or raise max_queued of the queue.',
    true,
  ),
  draining: entry(503, 1, 'The daemon is stopping and takes no new jobs.', 'Try again after the restart.', true),
  'input-invalid': entry(400, 2, 'The request is not well-formed.', 'Correct the fields that the message names.'),
  // plugins
  'plugin-not-found': entry(
    404,
    1,
    'There is no plugin with this name.',
    '`trigger plugin list` shows the plugins below [plugins] path.',
  ),
  'plugin-name-invalid': entry(
    400,
    2,
    'This is not a plugin name.',
    'A name is one or more segments of letters, digits, “_”, “.” and “-”, joined by “/”; no “..”, no leading “/”.',
  ),
  'plugin-unsafe': entry(
    403,
    1,
    'The plugin may be changed by others, lies outside the plugins folder, or is not executable.',
    'Make file and folder belong to root (or the daemon’s user), writable by nobody else, and the file executable.',
  ),
  'puppet-unsafe': entry(
    403,
    1,
    'A program that [watch] run_cmd starts as the daemon’s user can be changed by others, so triggerd does not ask it for Puppet’s settings.',
    'Make the program and every folder above it belong to root, writable by nobody else, or start it as its owner (sudo -u USER).',
  ),
  'puppet-silent': entry(
    503,
    1,
    'Puppet did not say where it keeps its locks and reports.',
    'Run the command that the message names, as the user that it names, and correct what it reports.',
    true,
  ),
  'puppet-file-unsafe': entry(
    403,
    1,
    'A lock, summary or report of Puppet is not a file that triggerd reads.',
    'Find out who put it there, and delete it: Puppet’s next run writes a new one.',
  ),
  'plugin-manifest': entry(
    422,
    1,
    'The plugin’s plugin.toml is not valid.',
    'Correct the keys that the message names.',
  ),
  'plugin-arguments': entry(
    422,
    1,
    'The arguments do not fit the plugin.',
    '`trigger plugin info NAME` shows the arguments that it takes.',
  ),
  'plugin-exists': entry(
    409,
    1,
    'There is a plugin, or something else, of this name already.',
    'Choose another name, or another plugins folder with --dir.',
  ),
  'plugin-not-made': entry(
    500,
    1,
    'The plugin’s folder could not be made.',
    'Name a plugins folder that you may write to with --dir, or do it as root.',
  ),
  'plugin-not-allowed': entry(
    403,
    1,
    'This plugin may not be started here.',
    'Add it on that machine if it should: to [watch] allow for firings, to [workers] allow for requests.',
  ),
  // firings
  'firing-not-found': entry(404, 1, 'There is no firing with this id.', '`trigger status` lists the recent ones.'),
  'firing-ambiguous': entry(
    409,
    2,
    'Several firings have ids that begin so.',
    'Give more of the id; `trigger status` shows whole ones.',
  ),
  'firing-malformed': entry(
    422,
    1,
    'The firing in etcd is not a document of a known format.',
    'Look at the key that the message names; upgrade triggerd if its format is newer.',
  ),
  'node-name-invalid': entry(
    400,
    2,
    'This is not a node name.',
    'Lower-case labels of letters, digits, “-” and “_”, joined by dots; at most 253 characters.',
  ),
  'trigger-name-invalid': entry(
    400,
    2,
    'This is not a trigger name.',
    '1 to 255 characters, none of them a control character.',
  ),
  'node-not-found': entry(404, 1, 'There is no node with this name.', '`trigger nodes` lists all that have been seen.'),
  'why-unknown': entry(
    404,
    1,
    'There is no firing, job, node or trigger of this name.',
    'Give a firing’s id or its first 6 characters, a job’s number on this node, a node’s name, or the name of a trigger that was fired lately.',
  ),
  'node-name-taken': entry(
    409,
    1,
    'Another daemon has this node’s name.',
    'See `trigger nodes` and `trigger doctor`. Give each machine a name of its own in [node] name, or stop the other daemon.',
    true,
  ),
  'node-present': entry(
    409,
    1,
    'The node is present: its daemon runs.',
    'Stop its daemon first. `trigger node forget` also takes --force: the results of jobs still running there are lost.',
  ),
  'remote-failed': entry(
    500,
    4,
    'At least one target did not end well.',
    '`trigger status FIRING` shows result, exit code and reason of every node.',
  ),
  'timed-out': entry(
    504,
    5,
    'The wait took longer than allowed.',
    'The work goes on; ask later with `trigger status` or `trigger queue`.',
  ),
  // registry
  'registry-invalid': entry(
    400,
    2,
    'This is not something that the registry can hold or do.',
    'Correct what the message names; names are letters, digits, “_”, “.” and “-”.',
  ),
  'registry-empty': entry(
    409,
    1,
    'There are no teams and users yet.',
    '`trigger admin init --team TEAM --identity USER` makes the first team and its admin.',
  ),
  'trigger-file-not-found': entry(
    404,
    1,
    'Nothing was written to such a trigger file on this node.',
    '`trigger queue --files` lists those that were written to.',
  ),
  'registry-not-found': entry(404, 1, 'The registry has nothing of this name.', '`… show` lists what there is.'),
  'registry-exists': entry(
    409,
    1,
    'The registry has one of this name already.',
    'Choose another name, or change the one that is there.',
  ),
  'registry-in-use': entry(
    409,
    1,
    'Something else in the registry needs it.',
    'First detach or delete what the message names.',
  ),
  'registry-full': entry(
    403,
    1,
    'You and the users that you have made, or your team, have as many of these as they may.',
    'Delete some that nobody needs, or ask root on a node to make it: root has no such limit.',
  ),
  'registry-changed': entry(409, 1, 'Others kept changing the same record.', 'Try again.', true),
  'too-many-changes': entry(
    429,
    1,
    'You have changed more in the registry than a user may in a minute.',
    'Wait as long as the message says. [registry] max_changes and max_change_bytes of the brokers are the limits; `trigger` as root on a node has none.',
    true,
  ),
  'team-full': entry(
    409,
    1,
    'The team keeps as many bytes in the registry as it may.',
    'Delete what the team does not need, or shorten arguments and descriptions. [registry] max_team is the limit.',
  ),
  'etcd-nearly-full': entry(
    503,
    3,
    'etcd is nearly full. The registry takes nothing more, so that firings still go through.',
    'Deleting still works. `trigger doctor` shows the size and the quota; docs/how-to/etcd.md says how to make room.',
    true,
  ),
  'registry-denied': entry(403, 1, 'You may not do this.', 'Ask an admin of the team, or the owner.'),
  'statement-invalid': entry(
    400,
    1,
    'The console does not understand this statement.',
    'Correct what the message points at; `help` shows every statement.',
  ),
  'team-missing': entry(400, 2, 'It is not clear which team is meant.', 'Name it with --team, or as [main] team.'),
  // authentication
  'login-failed': entry(
    403,
    1,
    'Team, identity and password do not fit together.',
    'Check [main] team, identity and secret.',
  ),
  'too-many-attempts': entry(429, 1, 'Too many failed attempts.', 'Wait as long as the message says.', true),
  'token-invalid': entry(
    403,
    1,
    'The token is not valid (any more).',
    'Log in again; a [main] jwt has to be replaced.',
  ),
  'worker-refused': entry(
    403,
    1,
    'The broker refused this worker.',
    'Check the token in [workers.TEAM.IDENTITY]; a lost one is replaced with `trigger worker rotate`. One worker of an identity runs at a time.',
  ),
  // services
  'broker-missing': entry(
    400,
    2,
    'No broker is configured.',
    'Set [main] broker and broker_key; for workers, [workers] broker and broker_key do as well. `trigger broker key` on the broker prints the key.',
  ),
  'broker-unreachable': entry(
    503,
    3,
    'No broker answered.',
    'Check [main] broker and broker_key, and that triggerd with a [broker] section runs there.',
    true,
  ),
  'broker-unusable': entry(
    500,
    1,
    'The broker cannot listen.',
    'Choose another [broker] listen, or end what uses it.',
  ),
  'broker-busy': entry(
    503,
    1,
    'The broker holds as many requests as it may, for this service, user or team.',
    'Try again when some have ended; `trigger request list` on the broker shows them. [broker] max_queued and max_requests are the limits.',
    true,
  ),
  'bus-protocol': entry(
    400,
    1,
    'A message on the bus was not understood.',
    'Use the same version of triggerd on both sides.',
  ),
  'service-not-found': entry(
    404,
    1,
    'There is no such service for you.',
    'Check the name; another team’s service is `team/service`, and has to be public.',
  ),
  'no-worker': entry(
    503,
    3,
    'No worker of the service is connected.',
    'Start a worker that is attached to it: `triggerfs-worker -identity NAME`.',
    true,
  ),
  'worker-lost': entry(
    503,
    1,
    'The worker was lost; the request may have run.',
    'Look at the worker. `retry = always` of the service gives such requests to another one.',
  ),
  'worker-only': entry(
    409,
    1,
    'This daemon is a worker only: it has no etcd, and so no firings and no nodes.',
    'Ask the triggerd of a node: with its --socket, or without one.',
  ),
  'request-invalid': entry(400, 2, 'The request is not well-formed.', 'Correct what the message names.'),
  'proof-missing': entry(
    403,
    1,
    'The job of a request has no proof of who asked for it, so it cannot ask a service.',
    'Upgrade and restart the worker and its broker: older ones make no proofs. A plugin that has to ask with the rights of its machine says `acts_as = "machine"` in its plugin.toml.',
  ),
  'proof-invalid': entry(
    403,
    1,
    'The proof of who asked for the job is not valid (any more).',
    'Ask again. A proof belongs to one request on one worker and ends with it; check that the clocks of brokers agree.',
  ),
  'proof-unsupported': entry(
    409,
    1,
    'The broker is too old to check who asked for the job.',
    'Upgrade the brokers in [main] broker of the worker’s machine.',
  ),
  'request-too-large': entry(
    413,
    1,
    'The request’s payload is too large.',
    'Send less, or raise [broker] max_message.',
  ),
  'request-not-found': entry(
    404,
    1,
    'There is no such request that waits or runs.',
    '`trigger request list` on the broker lists those that do, `trigger history` those that are over.',
  ),
  // trigger files
  'mount-failed': entry(
    500,
    1,
    'The trigger files cannot be mounted.',
    'Name an empty folder that nothing is mounted on; the Debian packages `libfuse2` and `fuse3` (or `fuse`) have to be there.',
  ),
  // control socket
  'daemon-unreachable': entry(
    503,
    3,
    'triggerd does not answer on its control socket.',
    'Start it (`systemctl start triggerd`), or name the socket with --socket; only root and the socket’s group may use it.',
    true,
  ),
  'daemon-silent': entry(
    504,
    3,
    'triggerd has taken the request and does not answer.',
    'Look at its log (`journalctl -u triggerd`): it may be stopped, or its disk may be stuck. What was asked may still be done.',
    true,
  ),
  'daemon-answer': entry(
    500,
    3,
    'The daemon’s answer was not understood.',
    'Use a `trigger` of the same version as the daemon.',
  ),
  'http-unusable': entry(
    500,
    1,
    'The HTTP port cannot be opened.',
    'Choose another [http] listen, or end what uses it; without the section there is no port.',
  ),
  'events-dropped': entry(
    503,
    1,
    'The events came faster than they were read.',
    'Ask for fewer of them (--kind, --node, --trigger, --stage), or let a faster reader have them.',
  ),
  'too-many-followers': entry(
    503,
    1,
    'So many follow the events of this daemon already that it takes no more.',
    'End some of them; one that looks now and then (`trigger events --since`) costs nothing in between.',
  ),
  'output-failed': entry(
    500,
    1,
    'The output of a command could not be written.',
    'Check the disk and the file that the output goes to. A request was cancelled; jobs and firings continue.',
  ),
  'folder-gone': entry(
    400,
    2,
    'The folder that the command was started in does not exist any more.',
    'Change to a folder that exists: `cd /`.',
  ),
  // bugs
  internal: entry(500, 1, 'A bug in triggerd.', 'Please report it with the log lines around it.'),
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
      : new TriggerdError('internal', thrown instanceof Error ? thrown.message : String(thrown), {
          cause: thrown,
        });

/** Node asks for the working folder also where a path is made absolute. */
const isFolderGone = (thrown: unknown): boolean =>
  thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'uv_cwd';
