/** Reads the whole output of a program through a pipe. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { serveLoad } from './load.mjs';

const [program, expected] = process.argv.slice(2);
await serveLoad(async () => {
  const child = spawn(program, [], { stdio: ['ignore', 'pipe', 'inherit'] });
  let bytes = 0;
  child.stdout.on('data', (chunk) => {
    bytes += chunk.length;
  });
  await once(child, 'close');
  if (bytes !== Number(expected)) throw new Error(`${bytes} bytes`);
});
