/** Where on a command line the cursor is. */
import { type Command, Option } from 'commander';
import { buildProgram, completed } from '../program.ts';

export interface Place {
  readonly command: Command;
  /** Arguments before the cursor. */
  readonly args: readonly string[];
  /** What the options before the cursor were given, by their name in code. */
  readonly given: ReadonlyMap<string, string>;
  /** The option whose value comes now. */
  readonly option: Option | undefined;
  /** After `--`, or inside the command of `queue add`. */
  readonly optionsAreOver: boolean;
}

/** The words before the one to complete. */
export const walk = async (words: readonly string[]): Promise<Place> => {
  let place: Place = {
    command: buildProgram(() => async () => undefined),
    args: [],
    given: new Map(),
    option: undefined,
    optionsAreOver: false,
  };
  for (const word of words) place = await step(place, word);
  return place;
};

const step = async (place: Place, word: string): Promise<Place> => {
  const { command, args, given, option, optionsAreOver } = place;
  if (option !== undefined) {
    // bash makes `--queue=x` three words.
    if (word === '=') return place;
    return { ...place, option: undefined, given: new Map(given).set(option.attributeName(), word) };
  }
  if (!optionsAreOver && word === '--') return { ...place, optionsAreOver: true };
  if (!optionsAreOver && word.startsWith('-')) {
    const found = optionNamed(command, word);
    return found?.required !== true ? place : { ...place, option: found };
  }
  const verb = args.length === 0 && !optionsAreOver ? verbOf(command, word) : undefined;
  if (verb === undefined) {
    const passesOn = command.registeredArguments.at(0)?.variadic === true;
    return { ...place, args: [...args, word], optionsAreOver: optionsAreOver || passesOn };
  }
  await completed(verb);
  return { ...place, command: verb };
};

const verbOf = (command: Command, word: string): Command | undefined =>
  command.commands.find((each) => each.name() === word || each.aliases().includes(word));

export const optionsOf = (command: Command): Option[] => [...command.options, helpOption];

/** The option that a word names. */
export const optionNamed = (command: Command, word: string): Option | undefined =>
  optionsOf(command).find(({ long, short }) => word === long || word === short);

const helpOption = new Option('-h, --help', 'print help');
