/** Relative paths in a command line that a job starts in `/`. Pure. */

import { readPuppetCommand } from './command-line.ts';
import { readPrefix } from './command-prefix.ts';

/** Options of Puppet that take paths. As in the module's `trigger::absolute_command`. */
const pathOptions = [
  'basemodulepath',
  'codedir',
  'confdir',
  'config',
  'environmentpath',
  'hiera_config',
  'manifest',
  'modulepath',
  'rundir',
  'ssldir',
  'vardir',
];

/**
 * What is relative in a `run_cmd`, in words for the administrator, with a remedy; null: nothing, as far as its words are understood.
 * What a shell is told to run is not looked at: it may begin with `cd`.
 */
export const relativePath = (argv: readonly string[]): { readonly what: string; readonly remedy: string } | null => {
  const path = relativePathIn(argv);
  return path === undefined
    ? null
    : {
        what: `run_cmd has the relative path “${path}”, and jobs run in /`,
        remedy: 'Write the whole path, or name the folder: “env -C /srv/puppet puppet apply site.pp”.',
      };
};

const relativePathIn = (argv: readonly string[]): string | undefined => {
  const prefix = readPrefix(argv);
  if (prefix === null) return undefined;
  if (prefix.folder !== null) return isRelative(prefix.folder) ? prefix.folder : undefined;
  const program = argv[prefix.length] ?? '';
  if (program.includes('/') && isRelative(program)) return program;
  const command = readPuppetCommand(argv);
  // Behind a program that we do not know, the folder may be any.
  if (command.kind === 'other' || command.prefix?.isAskable !== true) return undefined;
  const given = command.argv.slice(command.verb + 1);
  return relativeOption(given) ?? (command.kind === 'apply' ? relativeManifest(given) : undefined);
};

const isRelative = (path: string): boolean => !path.startsWith('/');

const relativeOption = (given: readonly string[]): string | undefined => {
  const values = given.map((word, at) => {
    const [, name = '', value = given[at + 1]] = /^--(\w+)(?:=(.*))?$/s.exec(word) ?? [];
    return pathOptions.includes(name) ? value : undefined;
  });
  return values.flatMap((value) => value?.split(':') ?? []).find(isRelative);
};

/** `--execute` is followed by Puppet code. */
const relativeManifest = (given: readonly string[]): string | undefined =>
  given.find((word, at) => {
    const before = given[at - 1] ?? '';
    const isValue = before === '-e' || before === '--execute' || pathOptions.includes(before.replace(/^--/, ''));
    return word.endsWith('.pp') && !word.startsWith('-') && isRelative(word) && !isValue;
  });
