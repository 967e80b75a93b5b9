/** The console: statements in, tables out. It has two modes; `exit` leaves the one, then the other. */
import type { Command } from '../../console/form.ts';
import { helpEntries, renderHelp } from '../../console/help.ts';
import { inTeam, parseStatement } from '../../console/match.ts';
import { documentsOf, renderRows, rowsNamed, rowsOf } from '../../console/tables.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import { formatElapsed } from '../../kit/elapsed.ts';
import { jsonText } from '../../kit/json-text.ts';
import { visible } from '../../kit/text.ts';
import { withWidths } from '../../kit/width.ts';
import type { Answer } from '../../registry/statements.ts';
import type { ConsoleLink } from './links.ts';

export interface ConsoleOptions {
  /** Asked for at the first statement that needs it: `help` works without a broker. Throws `NoLink`. */
  readonly link: () => Promise<ConsoleLink>;
  readonly json: boolean;
  /** Width of the terminal; null: the output is for no terminal. */
  readonly columns: number | null;
  readonly out: (text: string) => Promise<void>;
  /** A new password for a user. */
  readonly readSecret: (user: string) => Promise<string>;
  /** Whether statements come from the command line, which everybody on the machine can read. */
  readonly isOverheard: boolean;
}

export interface Console {
  /** Throws what the statement failed with; the next one may be run all the same. */
  run(line: string): Promise<Ran>;
}

export interface Ran {
  readonly isOver: boolean;
  /** Of a request that has ended; 0 for everything else that worked. */
  readonly exitCode: number;
}

const done: Ran = { isOver: false, exitCode: 0 };

export const createConsole = (options: ConsoleOptions): Console => {
  let mode: 'run' | 'configure' = 'run';
  return {
    run: async (line) => {
      const command = parseStatement(line);
      if (command === null) return done;
      switch (command.kind) {
        case 'configure':
          mode = 'configure';
          return done;
        case 'exit': {
          const isOver = mode === 'run';
          mode = 'run';
          return { ...done, isOver };
        }
        case 'help':
          await printHelp(options, command.about);
          return done;
        case 'request':
          return { ...done, exitCode: await (await options.link()).request(command.request) };
        default:
          await ask(options, await withSecret(options, command));
          return done;
      }
    },
  };
};

type RegistryCommand = Extract<Command, { kind: 'registry' }>;

const withSecret = async (
  { readSecret, isOverheard }: ConsoleOptions,
  command: RegistryCommand | Extract<Command, { kind: 'secret' }>,
): Promise<RegistryCommand> => {
  if (command.kind === 'secret')
    return { kind: 'registry', ask: command.ask(await readSecret(command.user)), only: null };
  if (isOverheard && 'secret' in command.ask)
    throw new TriggerdError(
      'usage',
      'all users of this machine can read a password on the command line: leave it out, or send the statement on stdin',
    );
  return command;
};

const ask = async (options: ConsoleOptions, { ask, only }: RegistryCommand): Promise<void> => {
  const link = await options.link();
  const startedAt = process.hrtime.bigint();
  const answer = await link.execute(await inTeam(ask, () => link.team()));
  const isList = ask.verb.endsWith('.list');
  const rows = rowsNamed(answer.kind, rowsOf(answer), only);
  if (only !== null && rows.length === 0)
    throw new TriggerdError('registry-not-found', `there is no ${answer.kind} “${printable(only)}”`);
  const single = only !== null || !isList;
  if (options.json) return options.out(`${jsonText(documentsOf(answer.kind, rows, single))}\n`);
  if (!isList) return printNotices(options, answer);
  const elapsed = formatElapsed(process.hrtime.bigint() - startedAt);
  const table = await withWidths(() => renderRows(answer.kind, rows, { single, columns: options.columns }));
  await options.out(`${table}\n\nTime: ${elapsed}\n`);
  // What a list leaves out.
  await printNotices(options, answer);
};

const printNotices = async ({ out }: ConsoleOptions, { notices }: Answer): Promise<void> =>
  out(notices.map((notice) => `Notice: ${visible(notice)}\n`).join(''));

const printHelp = async ({ json, out }: ConsoleOptions, about: string | null): Promise<void> => {
  const entries = helpEntries(about);
  if (entries.length === 0)
    throw new TriggerdError('statement-invalid', `no statement has the word “${printable(about ?? '')}”`);
  await out(json ? `${jsonText(entries)}\n` : `${renderHelp(entries)}\n`);
};
