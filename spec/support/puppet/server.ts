import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Vitest's global setup: the server from which the tests fork their runs of Puppet. It loads Puppet when somebody first asks. */
export default async (): Promise<() => Promise<void>> => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-puppets-'));
  const socket = join(folder, 'socket');
  const server = spawn('ruby', [join(import.meta.dirname, 'server.rb'), socket, '-'.repeat(16_384)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data'); // it listens
  process.env['TRIGGERD_SPEC_PUPPET'] = socket;
  return async () => {
    const gone = once(server, 'exit');
    server.stdin.end();
    await gone;
    rmSync(folder, { recursive: true });
  };
};
