/** The first error in the log of a Puppet report: where no resource failed, it says why there was no catalogue to apply. */
import { readPsych } from './psych.ts';

/** Of one log entry, in characters; what is longer is not looked at. */
const maxBlock = 65_536;
/** It goes into etcd with the outcome. */
const maxText = 300;

/** Takes the lines of a report in order. */
export const createErrorCollector = () => {
  let isInLogs = false;
  let isInError = false;
  const block: string[] = [];
  let length = 0;

  return {
    add: (line: string): void => {
      if (/^\S/.test(line)) {
        isInLogs = line === 'logs:' || (isInLogs && line.startsWith('- '));
        isInError = isInLogs && block.length === 0 && /^- level: (err|alert|emerg|crit)$/.test(line);
      }
      if (!isInError) return;
      length += line.length + 1;
      if (length <= maxBlock) block.push(line);
    },
    end: (): string | null => messageOf(block),
  };
};

const messageOf = (block: readonly string[]): string | null => {
  const [entry] = [readPsych(block)].flat();
  const message = typeof entry === 'object' && entry !== null && 'message' in entry ? entry['message'] : null;
  if (typeof message !== 'string' || message === '') return null;
  return message.length > maxText ? `${message.slice(0, maxText - 1)}…` : message;
};
