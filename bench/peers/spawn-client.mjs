/** What a process per request can cost at least: spawn, write its stdin, read its stdout. */
import { spawn } from 'node:child_process';
import { payload, serveLoad } from './load.mjs';

const [program] = process.argv.slice(2);
await serveLoad(
  () =>
    new Promise((resolve, reject) => {
      const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
      let bytes = 0;
      child.stdout.on('data', (chunk) => {
        bytes += chunk.length;
      });
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 && bytes === payload.length ? resolve() : reject(new Error(`${code}, ${bytes} bytes`)),
      );
      child.stdin.end(payload);
    }),
);
