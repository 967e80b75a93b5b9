/** The first error in the log of a Puppet report, as Puppet prints it: it says why the run failed. */
import { fieldsOf, readPsych } from './psych.ts';

/** Characters of one log entry; the rest is not read. */
const maxBlock = 65_536;
/** Limit of the text, which goes into etcd with the outcome. */
const maxText = 300;

/** Takes the lines of a report in order. */
export const createErrorCollector = () => {
  let isInLogs = false;
  let isInError = false;
  let found: string | null = null;
  let block: string[] = [];
  let length = 0;

  const closeEntry = (): void => {
    if (isInError) found ??= messageOf(block);
    block = [];
    length = 0;
  };

  return {
    add: (line: string): void => {
      if (/^\S/.test(line)) {
        closeEntry();
        isInLogs = line === 'logs:' || (isInLogs && line.startsWith('- '));
        isInError = isInLogs && found === null && /^- level: (err|alert|emerg|crit)$/.test(line);
      }
      if (!isInError) return;
      length += line.length + 1;
      if (length <= maxBlock) block.push(line);
    },
    end: (): string | null => {
      closeEntry();
      return found;
    },
  };
};

/** Null for what ends no run: a fact that Facter could not find. */
const messageOf = (block: readonly string[]): string | null => {
  const [entry] = [readPsych(block)].flat();
  const { message, source } = fieldsOf(entry);
  if (typeof message !== 'string' || message === '' || isOfFacter(message)) return null;
  return shortReason(typeof source === 'string' && source.startsWith('/') ? `${source}: ${message}` : message);
};

/** Whether this error is of a fact, which no run fails for. */
export const isOfFacter = (message: string): boolean => message.startsWith('Facter: ');

export const shortReason = (message: string): string =>
  message.length > maxText ? `${message.slice(0, maxText - 1)}…` : message;
