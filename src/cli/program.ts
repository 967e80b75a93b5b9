/** The tree of commands for commander. */
import { Command, CommanderError, Option } from 'commander';
import type { CommandFile, Run } from './command.ts';
import { commands } from './commands.ts';
import { addHelp, type HelpText } from './support/options.ts';

const help: HelpText = {
  examples: [
    'watch -n 1 trigger queue',
    'trigger queue add --label backup -- tar -czf /srv/backup.tgz /srv/data',
    'trigger queue wait 7',
    "trigger fire 'refresh load balancers' --host lb01.example.com --wait",
    'trigger status',
    'trigger events --follow',
  ],
};

/** What every command exits with; `trigger(1)` has the same. */
export const exitCodes: readonly (readonly [number, string])[] = [
  [0, 'success'],
  [1, 'refused or failed here'],
  [2, 'the command line or the configuration is wrong'],
  [3, 'the daemon, etcd, a broker or a worker cannot be reached'],
  [4, 'fire --wait: at least one target did not succeed'],
  [5, 'timed out waiting; the work continues'],
  [129, 'SIGHUP, or the terminal was closed; otherwise like 130'],
  [130, 'Ctrl-C; jobs and firings continue, a request is cancelled'],
  [141, 'the reader of the output went away; otherwise like 130'],
  [143, 'SIGTERM; otherwise like 130'],
];

export const exitCodesOfJobs = 'queue wait, queue cat, queue tail and request exit with the job’s exit code.';

const exitCodeHelp = (): string =>
  [
    '',
    'Exit codes:',
    ...exitCodes.map(([code, means]) => `  ${String(code).padStart(3)}  ${means}`),
    `  ${exitCodesOfJobs}`,
  ].join('\n');

export const versionAsked = 'trigger.version';

export const buildProgram = (run: Run): Command => {
  const program = new Command('trigger');
  program
    .description('Run jobs on other nodes when something changes on this one.')
    .usage('[options] <command>')
    .option('-V, --version', 'print the version')
    .on('option:version', () => {
      throw new CommanderError(0, versionAsked, '');
    })
    .addHelpText('after', exitCodeHelp);
  addHelp(program, help);
  addGlobalOptions(program, true);
  for (const [name, { summary, alias, load }] of Object.entries(commands)) {
    const command = addCommand(program, [name, summary], load, run);
    if (alias !== undefined) command.alias(alias);
  }
  return program.hook('preSubcommand', (_program, command) => completed(command));
};

/** Name and summary only; what a command is made of is added when it is about to run, or to show its help. */
const addCommand = (
  parent: Command,
  [name, summary]: readonly [string, string],
  file: () => CommandFile | Promise<CommandFile>,
  run: Run,
): Command => {
  const command = parent.command(name).summary(summary);
  incomplete.set(command, async () => complete(command, await file(), run));
  return command;
};

const incomplete = new WeakMap<Command, () => Promise<void>>();

/** Makes a command of the tree all that it is; once is enough. */
export const completed = async (command: Command): Promise<void> => {
  const finish = incomplete.get(command);
  incomplete.delete(command);
  await finish?.();
};

const complete = (command: Command, { help, define, verbs = {} }: CommandFile, run: Run): void => {
  command.description(sentence(command.summary())).hook('preSubcommand', (_command, verb) => completed(verb));
  addGlobalOptions(command, false);
  for (const [name, verb] of Object.entries(verbs))
    addCommand(command, [name, verb.summary], () => ({ help: verb, define: verb.define }), run);
  if (help !== undefined) addHelp(command, help);
  define?.(command, run);
};

/** The same options on every command, so that they may stand anywhere; help shows them once, at the top. */
const addGlobalOptions = (command: Command, top: boolean): void => {
  const options = [
    new Option('--json', 'print JSON'),
    new Option('--config <file>', 'configuration file'),
    new Option('--socket <path>', 'control socket of the daemon'),
    new Option('--no-color', 'print no colours'),
  ];
  for (const option of options) command.addOption(top ? option : option.hideHelp());
  command
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions, subcommandTerm })
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    // `run.ts` words the failure.
    .configureOutput({ outputError: () => undefined });
};

/** Those of `trigger` itself; a verb's parent has options too, which are the parent's business. */
const visibleGlobalOptions = (command: Command): Option[] => {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root === command ? [] : root.options.filter((option) => !option.hidden);
};

const subcommandTerm = (command: Command): string => [command.name(), ...command.aliases()].join(', ');

const sentence = (summary: string): string => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
