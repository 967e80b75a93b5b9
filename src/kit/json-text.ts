/** `JSON.stringify` escapes C0 only; these drive terminals, hide text or turn its direction, too. */
const escaped = /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;

/** JSON that is harmless on a terminal and the same once it is parsed: controls and format characters are `\uXXXX`. */
export const jsonText = (value: unknown, indent?: number): string => harmlessJson(JSON.stringify(value, null, indent));

/** The same of JSON that somebody else has written. */
export const harmlessJson = (json: string): string =>
  json.replace(escaped, (char) =>
    [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
