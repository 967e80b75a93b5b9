/**
 * Whether this is how base64url writes its bytes: no padding, no blanks, no other alphabet, no spare bits in the last
 * letter. Decoders take all of that, so that one value would have many spellings.
 */
export const isCanonicalBase64Url = (text: string): boolean =>
  text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text;
