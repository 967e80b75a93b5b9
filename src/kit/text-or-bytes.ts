/** Output in JSON, as in the protocol of persistent plugins: `NAME` where it is UTF-8, else all its bytes as `NAME_base64`. */
export const textOrBase64 = (name: string, bytes: Uint8Array): Readonly<Record<string, string>> =>
  isText(bytes) ? { [name]: textOf(bytes) } : { [`${name}_base64`]: base64Of(bytes) };

/** The end of an output, beginning with a whole character where it is text. */
export interface Tail {
  readonly text: string;
  /** The same bytes where they are no UTF-8, and `text` is not them. */
  readonly base64?: string;
}

export const tailOf = (bytes: Uint8Array): Tail =>
  isText(bytes) ? { text: textOf(bytes) } : { text: textOf(bytes), base64: base64Of(bytes) };

/** The last `max` bytes at most; of text from its first whole character on. */
export const lastBytesOf = (bytes: Uint8Array, max: number): Uint8Array => {
  if (bytes.length <= max) return bytes;
  const cut = bytes.subarray(bytes.length - max);
  let start = 0;
  while (start < 3 && ((cut[start] ?? 0) & 0xc0) === 0x80) start++;
  return cut.subarray(start);
};

const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

const isText = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

/** Of a line of up to 1 MiB: more than a call has room for as arguments. */
const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
