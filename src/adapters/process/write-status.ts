import { renameSync, writeFileSync } from 'node:fs';
import type { RunExit } from '../../queue/ports/runner.ts';
import { jobFile, type Order, type Status } from './job-files.ts';

/** Written aside and renamed: whoever sees `status.json` sees all of it. */
export const writeStatus = ({ folder, token }: Order, ending: RunExit): void => {
  const file = jobFile(folder, 'status.json');
  const status: Status = { ...ending, token };
  writeFileSync(`${file}.new`, JSON.stringify(status), { mode: 0o600 });
  renameSync(`${file}.new`, file);
};
