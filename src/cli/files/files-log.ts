import type { Logger } from 'pino';
import { createTriggerfsLog, triggerfsTime } from '../../adapters/log/triggerfs-log.ts';
import { visible } from '../../kit/text.ts';
import type { TriggerOutput } from '../../mount/delivery-ports.ts';
import type { Definition } from '../../registry/model.ts';
import type { LogCopy } from '../request/log-copy.ts';
import { say as sayToUser } from './background.ts';

/** What `triggerfs` says: to the terminal, and to its log file. */
export interface FilesLog {
  /** A line with its time in front; an empty one is a blank line. */
  say(text: string): void;
  /** Without a time. */
  banner(text: string): void;
  /** What came back from a trigger, as `triggerfs-client` shows it. */
  output(definition: Definition, output: TriggerOutput): void;
  readonly log: Logger;
}

export const createFilesLog = (level: string, copy: LogCopy): FilesLog => {
  const write = (text: string): void => {
    sayToUser(text);
    copy.write(text);
  };
  const say = (text: string): void => write(text === '' ? '\n' : `${triggerfsTime(new Date())} ${visible(text)}\n`);
  return {
    say,
    banner: (text) => write(`${text}\n`),
    output: ({ name, plugin, service }, { worker, result, exitCode, reason, output }) => {
      const from = `[${plugin}@${worker ?? service}]`;
      for (const line of linesOf(output)) say(`${name}: ${from} ${line}`);
      if (result !== 'succeeded')
        say(`${name}: ${from} ${[result, exitCode, reason].filter((part) => part !== null).join(' ')}`);
    },
    log: createTriggerfsLog(level, write),
  };
};

const linesOf = (output: Buffer): string[] => {
  const lines = output.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
};
