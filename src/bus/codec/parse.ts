import { isAscii, isUtf8 } from 'node:buffer';
import { type Fields, isFields } from './check.ts';

/** Largest header in bytes. Larger content (a list, a payload) is sent in the body. */
export const maxHeaderBytes = 262_144;

/** Instead of a message: why it is none. A value, since throwing costs more than most messages do. */
export type Malformed = string;

/** A header with its operation; its other fields are not looked at yet. */
export interface Header {
  readonly op: string;
  readonly fields: Fields;
}

/** The frame of a header; never throws. */
export const parseHeader = (frame: Buffer): Header | Malformed => {
  if (frame.length > maxHeaderBytes) return `a header of ${frame.length} bytes; ${maxHeaderBytes} are allowed`;
  const fields = parseJson(frame);
  if (!isFields(fields)) return 'a header that is no JSON object';
  const { op } = fields;
  return typeof op === 'string' ? { op, fields } : 'a header without `op`';
};

const parseJson = (frame: Buffer): unknown => {
  try {
    if (isAscii(frame)) return JSON.parse(frame.toString('latin1'));
    return isUtf8(frame) ? JSON.parse(frame.toString('utf8')) : undefined;
  } catch {
    return undefined;
  }
};

/** One reader of fields for each operation. It leaves out fields that are not known; undefined: not well-formed. */
export type Readers<Message extends { readonly op: string }> = {
  readonly [Op in Message['op']]: (fields: Fields) => Message | undefined;
};

/** The message of this header, whose operation one of the readers knows. Never throws. */
export const readMessage = <Message extends { readonly op: string }>(
  readers: Readers<Message>,
  { op, fields }: Header,
): Message | Malformed => {
  if (!isOpOf(readers, op)) return `${shownOp(op)} is no operation`;
  return readers[op](fields) ?? `${shownOp(op)} with a field that is missing or of the wrong kind`;
};

/** The same from the frame of the header. */
export const decodeWith = <Message extends { readonly op: string }>(
  readers: Readers<Message>,
  frame: Buffer,
): Message | Malformed => {
  const header = parseHeader(frame);
  return typeof header === 'string' ? header : readMessage(readers, header);
};

export const isOpOf = <Message extends { readonly op: string }>(
  readers: Readers<Message>,
  op: string,
): op is Message['op'] => Object.hasOwn(readers, op);

/** The operation for messages to people: bounded, without control characters. */
const shownOp = (op: string): string => JSON.stringify(op.slice(0, 32));
