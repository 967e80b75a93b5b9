/**
 * What triggerd and a persistent plugin say to each other, version 1: a line of JSON each, in UTF-8.
 *
 *     triggerd → plugin   {"hello":1,"plugin":"echo","node":"lb01","concurrency":64}              once, first
 *                         {"run":7,"args":{…},"argv":[…],"payload":"…",…}                          do job 7
 *                         {"run":7,…,"payload_base64":"…"}                                        a payload that is no UTF-8
 *                         {"cancel":7,"reason":"timeout"}                                         end it: `exit` is still owed
 *     plugin → triggerd   {"id":7,"out":"text"}   {"id":7,"err":"text"}                           output, as it comes
 *                         {"id":7,"out_base64":"…"}   {"id":7,"err_base64":"…"}                   bytes that are no UTF-8
 *                         {"id":7,"exit":0}                                                       job 7 has ended
 *
 * One line may hold output and `exit`. The end of input means: end when what runs has ended.
 */
import type { PersistentCall, PersistentProgram } from '../../queue/ports/runner.ts';

export const helloLine = ({ plugin, concurrency }: PersistentProgram, node: string): string =>
  `${JSON.stringify({ hello: 1, plugin, node, concurrency })}\n`;

/** The context is JSON already. */
export const runLine = ({ id, args, argv, payload, payloadEncoding, timeoutMs, context }: PersistentCall): string => {
  const key = payloadEncoding === undefined ? 'payload' : 'payload_base64';
  const asked = { run: id, args, argv, [key]: payload ?? '', timeout_ms: timeoutMs };
  return `${JSON.stringify(asked).slice(0, -1)},"context":${context.trimEnd()}}\n`;
};

export const cancelLine = (id: number, reason: 'timeout' | 'kill'): string =>
  `${JSON.stringify({ cancel: id, reason })}\n`;

/** What a plugin has said of one job: output in this order, then the end. */
export interface PluginEvent {
  readonly id: number;
  readonly out: Buffer | undefined;
  readonly err: Buffer | undefined;
  readonly exit: number | undefined;
}

/** A line of a plugin; a text says what is wrong with it. */
export const readLine = (line: string): PluginEvent | string => {
  const said = parsed(line);
  if (typeof said !== 'object' || said === null) return 'not a JSON object';
  const { id, exit } = said;
  if (!Number.isSafeInteger(id)) return '`id` is not the number of a job';
  if (exit !== undefined && !isExitCode(exit)) return '`exit` is not a number from 0 to 255';
  const [out, err] = [bytesOf(said, 'out'), bytesOf(said, 'err')];
  if (out === 'wrong' || err === 'wrong') return 'output is not text';
  return { id: Number(id), out, err, exit };
};

const parsed = (line: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

const isExitCode = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;

const bytesOf = (said: Readonly<Record<string, unknown>>, name: 'out' | 'err'): Buffer | undefined | 'wrong' => {
  const text = said[name];
  const base64 = said[`${name}_base64`];
  if (text === undefined && base64 === undefined) return undefined;
  if (typeof text === 'string' && base64 === undefined) return Buffer.from(text, 'utf8');
  return typeof base64 === 'string' && text === undefined ? Buffer.from(base64, 'base64') : 'wrong';
};
