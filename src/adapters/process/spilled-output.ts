import type { OpenOutput } from '../../queue/in-memory/in-memory-output.ts';
import { prepareFolder } from './job-files.ts';
import { createOutputFile } from './output-file.ts';

/** Output in the files that any job has, with the same limit and the same marker. */
export const openSpilledOutput: OpenOutput = (folder, maxBytes) => {
  prepareFolder(folder);
  const file = createOutputFile(folder, maxBytes);
  return {
    write: (stream, bytes) => file.write(stream === 'out' ? 'o' : 'e', bytes),
    close: () => void file.close(),
  };
};
