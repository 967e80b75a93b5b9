import type { Command } from 'commander';

/**
 * triggerFS' commands take `-identity demo01` as well as `--identity demo01`: the first becomes the second. Values stay
 * as they are, whatever they look like, and so does everything after `--`.
 */
export const withDoubleDashes = (command: Command, args: readonly string[]): string[] => {
  const options = new Map(
    // An option may have a second long name, in the place of a short one.
    command.options.flatMap((option) => [option.long, option.short].map((name) => [name, option] as const)),
  );
  if (args.length === 1 && args[0] === '-help') return ['--help'];
  const given: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') return [...given, ...args.slice(at)];
    const [name = ''] = arg.split('=', 1);
    const option = options.get(name.startsWith('--') ? name : `-${name}`);
    given.push(option !== undefined && !name.startsWith('--') ? `-${arg}` : arg);
    const value = args[at + 1];
    if (option?.required === true && arg === name && value !== undefined) {
      given.push(value);
      at++;
    }
  }
  return given;
};
