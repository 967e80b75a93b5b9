import type { Readable } from 'node:stream';

/** Calls back for every whole line. Cheaper per line than node:readline, and there is one line per job. */
export const onLines = (stream: Readable, onLine: (line: string) => void): void => {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
};
