import { readFileSync } from 'node:fs';

/**
 * Whether this process is a run of Puppet: `puppet apply`, or an agent for one run. An agent that stays is a service like any other. A script
 * that sends its Puppet to the background ends before the run does.
 */
export const isPuppetRun = (pid: number): boolean => isRun(commandOf(pid));

const isRun = (words: readonly string[]): boolean => {
  // It may follow its interpreter, with an option of that.
  const program = words.slice(0, 3).findIndex((word) => word === 'puppet' || word.endsWith('/puppet'));
  if (program < 0) return false;
  const given = words.slice(program + 1);
  const verb = given.find((word) => !word.startsWith('-'));
  return verb === 'apply' || (verb === 'agent' && given.some((word) => runOptions.includes(word)));
};

const runOptions = ['--test', '-t', '--onetime', '-o', '--no-daemonize'];

const commandOf = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    return [];
  }
};
