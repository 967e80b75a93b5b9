import { isAscii, isUtf8 } from 'node:buffer';
import { type Fields, isFields } from './check.ts';

/** A header at most, in bytes. What needs more room (a list, a payload) travels in the body. */
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

/** What `op` is called in messages to people: bounded, and nothing in it that a terminal obeys. */
export const shownOp = (op: string): string => JSON.stringify(op.slice(0, 32));

export const malformed = (op: string): Malformed => `${shownOp(op)} with a field that is missing or of the wrong kind`;
export const unknownOp = (op: string): Malformed => `${shownOp(op)} is no operation`;
