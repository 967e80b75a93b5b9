import { addAbortSignal } from 'node:stream';
import { TriggerdError } from '../../domain/errors.ts';
import { Interrupted } from '../support/interrupted.ts';
import type { Terminal } from '../support/terminal.ts';

/** More than any broker takes. */
const mostBytes = 67_108_864;

/** All of stdin, as it is. Throws `request-too-large`, `Interrupted`. */
export const readPayload = async (terminal: Terminal, interrupt: AbortSignal): Promise<Buffer> => {
  if (process.stdin.isTTY) terminal.err('Type the input of the plugin, then press Ctrl-D:\n');
  try {
    return await readAll(addAbortSignal(interrupt, process.stdin));
  } catch (error) {
    throw interrupt.aborted ? new Interrupted() : error;
  }
};

const readAll = async (stdin: AsyncIterable<Buffer>): Promise<Buffer> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stdin) {
    bytes += part.length;
    if (bytes > mostBytes)
      throw new TriggerdError('request-too-large', `the payload on stdin has more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
};
