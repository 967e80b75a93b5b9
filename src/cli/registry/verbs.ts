/** What the verbs of the registry’s nouns have in common: most name one thing of a team, and send one statement. */
import type { Command } from 'commander';
import type { Given, Settings } from '../../console/settings.ts';
import type { Statement } from '../../registry/statements.ts';
import type { Define } from '../command.ts';
import type { ListStatement } from './acts.ts';
import type { TeamOption } from './find-team.ts';
import { addSettings, settingsOf } from './settings.ts';

/** Loaded when a verb runs: neither its help nor its completion needs them. */
export const findTeam: typeof import('./find-team.ts').findTeam = async (...args) =>
  (await import('./find-team.ts')).findTeam(...args);
export const change: typeof import('./acts.ts').change = async (...args) => (await import('./acts.ts')).change(...args);
export const show: typeof import('./acts.ts').show = async (...args) => (await import('./acts.ts')).show(...args);

export const addTeamOption = (command: Command): Command =>
  command.option('--team <team>', 'team (default: [main] team, else the only one)');

/** What help calls the thing, and what its name is. */
export type Argument = readonly [name: string, about: string];

export interface Asked<Of extends Settings, Options> {
  readonly team: string;
  readonly name: string;
  /** The settings that the options gave, as a statement has them. */
  readonly given: Given<Of>;
  readonly options: TeamOption & Options;
}

export interface More<Of extends Settings> {
  readonly settings?: Of;
  /** Adds options behind those of the settings. */
  readonly options?: (command: Command) => unknown;
  /** What to print of the answer. */
  readonly shows?: (team: string) => Promise<(row: unknown) => string>;
}

/** A verb that changes one thing of a team, such as `trigger worker delete <worker>`. */
export const changing =
  <const Of extends Settings = Record<never, never>, Options = object>(
    [argument, about]: Argument,
    statementOf: (asked: Asked<Of, Options>) => Statement | Promise<Statement>,
    { settings = {} as Of, options: addOptions, shows }: More<Of> = {},
  ): Define =>
  (command, run) => {
    addSettings(addTeamOption(command.argument(`<${argument}>`, about)), settings);
    addOptions?.(command);
    command.action(
      run(async (session, name: string, options: TeamOption & Options) => {
        const team = await findTeam(session, options);
        const statement = await statementOf({ team, name, given: settingsOf(settings, options), options });
        return change(session, statement, await shows?.(team));
      }),
    );
  };

/** `trigger worker show [worker]` and its like: all that a team has of a kind, or one. */
export const showing =
  (verb: Exclude<ListStatement['verb'], 'team.list'>, [argument, about]: Argument): Define =>
  (command, run) =>
    addTeamOption(command.argument(`[${argument}]`, about)).action(
      run(async (session, name: string | undefined, options: TeamOption) =>
        show(session, { verb, team: await findTeam(session, options) }, name),
      ),
    );
