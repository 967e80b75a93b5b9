/** The first error in the log of a Puppet report: where no resource failed, it says why there was no catalogue to apply. */
import { parse as parseYaml } from 'yaml';

/** Of one log entry; what is longer is not looked at. */
const maxBlockLines = 200;
/** It goes into etcd with the outcome. */
const maxText = 300;

/** Takes the lines of a report in order. */
export const createErrorCollector = () => {
  let isInLogs = false;
  let isInError = false;
  const block: string[] = [];

  return {
    add: (line: string): void => {
      if (/^\S/.test(line)) {
        isInLogs = line === 'logs:' || (isInLogs && line.startsWith('- '));
        isInError = isInLogs && block.length === 0 && /^- level: (err|alert|emerg|crit)$/.test(line);
      }
      if (isInError && block.length < maxBlockLines) block.push(line);
    },
    end: (): string | null => messageOf(block),
  };
};

const messageOf = (block: readonly string[]): string | null => {
  try {
    const [entry] = (parseYaml(block.join('\n'), { maxAliasCount: 10, logLevel: 'silent' }) ?? []) as unknown[];
    const message = entry instanceof Object && 'message' in entry ? entry.message : null;
    if (typeof message !== 'string' || message === '') return null;
    return message.length > maxText ? `${message.slice(0, maxText - 1)}…` : message;
  } catch {
    return null;
  }
};
