import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { isOfFacter, shortReason } from '../../plugin/puppet/reported-error.ts';
import { openIfThere } from '../files/untrusted-file.ts';

/** Of the output, from its beginning; Puppet says why it cannot begin at once. */
const maxBytes = 1_048_576;

/**
 * Why a run failed, in its own words: the first line that Puppet marks as an error, else the first one that anybody (a wrapper, say)
 * wrote to stderr. Null: nothing was said. `folder` is the job's.
 */
export const readFirstError = async (folder: string): Promise<string | null> => {
  const output = await readBeginning(join(folder, 'output'));
  const index = await readBeginning(join(folder, 'output.idx'));
  const lines = linesOf(output);
  const errors = lines.flatMap((line) => /^(?:Error|Critical|Alert|Emergency): (.*)$/.exec(line)?.[1] ?? []);
  const error = errors.find((each) => !isOfFacter(each)) ?? linesOf(ofStderr(output, index)).find(isTelling);
  return error === undefined ? null : shortReason(error);
};

/** Neither Puppet's notices nor what its gems complain about. */
const isTelling = (line: string): boolean => !/^(Error: Facter|Notice|Info|Debug|Warning): |\bwarning: /.test(line);

const linesOf = (bytes: Buffer): string[] =>
  stripVTControlCharacters(bytes.toString('utf8'))
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** `output.idx` has a line for each piece: `<ms> <o|e|t> <length>`. */
const ofStderr = (output: Buffer, index: Buffer): Buffer => {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const line of index.toString('latin1').split('\n')) {
    const [, tag, length = '0'] = line.split(' ');
    if (tag === 'e') pieces.push(output.subarray(at, at + Number(length)));
    at += Number(length);
  }
  return Buffer.concat(pieces);
};

const readBeginning = async (path: string): Promise<Buffer> => {
  const file = await openIfThere(path);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(size, maxBytes)),
      0,
      Math.min(size, maxBytes),
      0,
    );
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};
